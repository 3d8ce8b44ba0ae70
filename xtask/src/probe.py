"""Prints, a line each: Python's version, pip's version, glibc's version, free bytes in the folder named. Python 3.6 or later."""
import platform
import shutil
import sys

print("%d.%d" % sys.version_info[:2])
try:
    import hashlib
    import zipfile
    import zlib

    import pip

    print(pip.__version__)
except ImportError as error:
    print("missing " + str(error.name))
print(platform.libc_ver()[1])
print(shutil.disk_usage(sys.argv[1]).free)
