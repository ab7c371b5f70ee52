"""Write the example's raw data, `diabetes.csv`, which scikit-learn ships.

442 patients with diabetes: ten measurements of each, and the progression of the disease one year
later. Published with B. Efron, T. Hastie, I. Johnstone and R. Tibshirani (2004), Least angle
regression, Annals of Statistics 32, 407-499. The authors state no license; scikit-learn
distributes the data under its own, BSD-3-Clause.

    python scripts/write_diabetes.py [--out FOLDER] [--force]
"""

import argparse
from pathlib import Path

from sklearn.datasets import load_diabetes


def main():
    """Write the file; stop before overwriting one unless told to."""
    parser = argparse.ArgumentParser(description="Write diabetes.csv from scikit-learn.")
    default = Path(__file__).resolve().parent.parent / "data"
    parser.add_argument("--out", type=Path, default=default, help="folder (default: data/)")
    parser.add_argument("--force", action="store_true", help="overwrite an existing file")
    args = parser.parse_args()

    target = args.out / "diabetes.csv"
    if target.exists() and not args.force:
        parser.error(f"{target} already there; --force overwrites")
    args.out.mkdir(parents=True, exist_ok=True)
    patients = load_diabetes(scaled=False, as_frame=True).frame
    # as many digits as the values have, and the same bytes on every system
    patients.to_csv(target, index=False, float_format="%g", lineterminator="\n", encoding="utf-8")
    print(f"{target}: {len(patients)} patients x {patients.shape[1]} columns")


if __name__ == "__main__":
    main()
