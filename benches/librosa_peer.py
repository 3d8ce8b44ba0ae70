"""Times librosa's magnitude STFT, mel and log-mel spectrogram on a file: median and minimum of 60 calls, in milliseconds.

    OMP_NUM_THREADS=1 python benches/librosa_peer.py clip.wav        (needs librosa and soundfile)
"""

import statistics
import sys
import time

import librosa
import numpy as np
import soundfile

samples, rate = soundfile.read(sys.argv[1], dtype="float32")


def report(name, call, calls=60):
    call()
    seconds = []
    for _ in range(calls):
        start = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - start)
    print(f"{name:<10} median {1e3 * statistics.median(seconds):.2f} ms, minimum {1e3 * min(seconds):.2f} ms")


mel = lambda: librosa.feature.melspectrogram(y=samples, sr=rate)
report("stft_mag", lambda: np.abs(librosa.stft(samples)))
report("mel", mel)
report("logmel", lambda: librosa.power_to_db(mel(), ref=np.max))
