#!/usr/bin/env python3
"""Times mgr-learn beside scikit-learn and umap-learn, one table of ratios.

    learn_peers.py TIME_LEARN [--only TASK] [--runs N] [--growth]

TIME_LEARN is the program `target/release/examples/time_learn`. Both sides get the same table (scikit-learn's make_classification:
1,000 x 500, ten classes, standardised) and the same settings; each time is the least over the runs. --growth adds the RBF machine on
10,000 x 160 with its peak of memory. Needs scikit-learn 1.9 and umap-learn 0.5.
"""
import json, os, resource, subprocess, sys, tempfile, time
import numpy as np

PROGRAM = sys.argv[1]
def flag(name, default):
    return type(default)(sys.argv[sys.argv.index(name) + 1]) if name in sys.argv else default
ONLY, RUNS = flag("--only", ""), flag("--runs", 3)

def table(rows, columns):
    from sklearn.datasets import make_classification
    from sklearn.preprocessing import StandardScaler
    x, y = make_classification(rows, columns, n_informative=60, n_redundant=40, n_classes=10, n_clusters_per_class=1,
                               class_sep=1.5, random_state=0)
    return np.ascontiguousarray(StandardScaler().fit_transform(x)), y.astype(np.int64)

def peers():
    from sklearn.svm import SVC, LinearSVC
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.decomposition import PCA
    from sklearn.manifold import TSNE
    def umap():
        import umap
        return umap.UMAP(random_state=0, n_jobs=1)
    return {
        "svc_rbf": lambda: SVC(), "svc_linear": lambda: SVC(kernel="linear"),
        # The dual solver, which is what 15 s on such a table were measured with; the primal is the default for tall tables.
        "linear_svc": lambda: LinearSVC(dual=True), "linear_svc_primal": lambda: LinearSVC(dual=False),
        "forest_100": lambda: RandomForestClassifier(100, n_jobs=2, random_state=0),
        "forest_500": lambda: RandomForestClassifier(500, n_jobs=2, random_state=0),
        "logistic": lambda: LogisticRegression(max_iter=1000), "pca_50": lambda: PCA(50, svd_solver="full"),
        "pca_50_auto": lambda: PCA(50, random_state=0), "tsne": lambda: TSNE(random_state=0), "umap": umap,
    }

def timed(make, x, y, runs):
    fit = predict = cpu = float("inf")
    for _ in range(runs):
        model = make(); t, c = time.perf_counter(), time.process_time()
        if hasattr(model, "predict"): model.fit(x, y)
        else: model.fit_transform(x)
        fit, cpu = min(fit, time.perf_counter() - t), min(cpu, time.process_time() - c)
        if hasattr(model, "predict"):
            t = time.perf_counter(); model.predict(x); predict = min(predict, time.perf_counter() - t)
    return fit, predict, cpu

def ours(folder, task, runs):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    line = subprocess.run([PROGRAM, "--table", folder + "/x.npy", "--labels", folder + "/y.npy", "--task", task, "--runs",
                           str(runs)], check=True, capture_output=True, text=True).stdout
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    found = json.loads(line)
    found["cpu"] = (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) / runs
    return found

def main():
    print("| task | scikit-learn fit | mgr fit | ratio | scikit-learn predict | mgr predict | ratio | CPU: scikit-learn, mgr |")
    print("|---|---|---|---|---|---|---|---|")
    ms = lambda s: "-" if s is None or not np.isfinite(s) else "%.0f ms" % (1e3 * s)
    jobs = [(1000, 500, name, name) for name in peers()]
    if "--growth" in sys.argv: jobs.append((10000, 160, "svc_rbf", "svc_rbf 10,000 x 160"))
    for rows, columns, task, title in jobs:
        if ONLY and ONLY not in title: continue
        x, y = table(rows, columns)
        runs = 1 if task in ("tsne", "umap", "linear_svc") or rows > 1000 else RUNS
        mine = {"pca_50_auto": "pca_50", "linear_svc_primal": "linear_svc"}.get(task, task)
        with tempfile.TemporaryDirectory() as folder:
            np.save(folder + "/x.npy", x); np.save(folder + "/y.npy", y)
            found = ours(folder, mine, max(runs, 2))
        fit, predict, cpu = timed(peers()[task], x, y, runs)
        second = found["predict"]
        print("| %s | %s | %s | %.2f | %s | %s | %s | %s, %s |%s" % (
            title, ms(fit), ms(found["fit"]), found["fit"] / fit, ms(predict), ms(second),
            "%.2f" % (second / predict) if second and np.isfinite(predict) else "-", ms(cpu), ms(found["cpu"]),
            " peak %.0f MB" % found["peak_mb"] if rows > 1000 else ""), flush=True)

if __name__ == "__main__":
    main()
