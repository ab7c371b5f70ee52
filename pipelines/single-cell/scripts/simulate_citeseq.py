"""Simulate the example's raw data: RNA and surface-protein counts of the same immune cells.

The cells are drawn from eight types with known markers. Each cell also has a hidden state that
shifts genes and proteins together, so cells differ within a type and the two modalities agree
about how. On top come the troubles of real data: varying depth, overdispersed counts, dropout,
antibody background, damaged cells, doublets and antibody aggregates.

Both files carry the same barcodes, but the protein rows are shuffled: the true pairing is known
by name and cannot be read off the row order.

    python scripts/simulate_citeseq.py [--out FOLDER] [--force]
"""

import argparse
from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd
from scipy import sparse

SEED = 20240607
N_STATES = 4
N_OTHER_GENES = 640
N_DAMAGED, N_DOUBLETS, N_AGGREGATES = 16, 12, 4

# Number of intact single cells of each type. The columns of the marker tables follow this order.
CELL_TYPES = {
    "CD4 naive T": 128,
    "CD4 memory T": 104,
    "CD8 T": 88,
    "NK": 62,
    "B": 74,
    "CD14 monocyte": 92,
    "CD16 monocyte": 26,
    "Dendritic": 18,
}

# Cells of these types lie on a path towards the other type, so the border is not sharp.
RELATIVES = {
    "CD4 naive T": "CD4 memory T",
    "CD4 memory T": "CD4 naive T",
    "CD8 T": "CD4 memory T",
    "NK": "CD8 T",
    "CD14 monocyte": "CD16 monocyte",
    "CD16 monocyte": "CD14 monocyte",
    "Dendritic": "CD14 monocyte",
}

# antibody, gene, RNA level and protein level (0-9, doubling per step) in each cell type.
PANEL = """
CD2               CD2      55640002  77750003
CD3               CD3E     66620000  88820000
CD4               CD4      44000423  88000556
CD5               CD5      55400200  77610310
CD7               CD7      65670001  66670001
CD8               CD8A     00630000  11940001
CD11b             ITGAM    00130422  11252865
CD11c             ITGAX    00020356  11131678
CD14              CD14     00000713  11111931
CD16              FCGR3A   00260171  11281283
CD19              CD19     00005000  11118110
CD20              MS4A1    00007000  11118111
CD25              IL2RA    13010000  23111112
CD27              CD27     65323001  77535111
CD28              CD28     55400000  66411111
CD31              PECAM1   41223544  62445766
CD33              CD33     00000446  11111757
CD38              CD38     22244424  33465536
CD44              CD44     45555664  56555766
CD45              PTPRC    66666665  88887887
CD45RA            PTPRC    66666665  71676245
CD45RO            PTPRC    66666665  27421655
CD56              NCAM1    00140000  11271111
CD57              B3GAT1   00230000  11361111
CD62L             SELL     74235622  74235522
CD69              CD69     24343111  23332111
CD127             IL7R     67320001  56321112
CD161             KLRB1    15360000  15371111
CD197 (CCR7)      CCR7     62003001  63222112
HLA-DR            HLA-DRA  01128689  11127579
CD86              CD86     00001355  11122466
CD123             IL3RA    00000115  11111216
PD-1 (CD279)      PDCD1    02200000  13311111
IgG1 isotype control   -   -         11111111
IgG2a isotype control  -   -         11111111
"""

# Further marker genes, without an antibody on the panel.
MARKER_GENES = """
CD3D 77730000   CD3G 55520000   TRAC 77700000   TRBC1 66610000   TRBC2 66620000
LEF1 62200000   TCF7 64320000   MAL 53100000    NOSIP 54300000   LDHB 76544333
S100A4 37666887 IL32 57760000   ITGB1 25433334  ANXA1 25422765   GZMK 01510000
LTB 67426112    AQP3 35000000   CD8B 01600000   CCL5 03870000    GZMA 01570000
GZMH 00560000   GZMB 00370003   GNLY 00380000   NKG7 01780001    PRF1 00470000
KLRD1 00360000  KLRF1 00060000  FCER1G 00060667 TYROBP 00170777  CTSW 12561000
CD79A 00008000  CD79B 00017000  BANK1 00005000  CD74 33348779    HLA-DPA1 01127568
HLA-DPB1 01127568               HLA-DQA1 00006337               IGHM 00007000
IGKC 00008000   CD22 00005000   LYZ 01011979    S100A8 00001961  S100A9 00001971
S100A12 00000600 VCAN 00000602  FCN1 00000662   CST3 11111788    AIF1 00000677
LST1 11122687   MS4A7 00000163  CDKN1C 00000060 RHOC 11232163    IFITM3 00121374
FCER1A 00000107 CLEC10A 00000106 CD1C 00001006  PSAP 22233664    LGALS2 00000725
"""

HOUSEKEEPING = [
    "ACTB", "B2M", "TMSB4X", "TMSB10", "EEF1A1", "FTL", "FTH1", "MALAT1", "TPT1", "GAPDH",
    "PTMA", "FAU", "UBA52", "NACA", "RACK1", "HLA-A", "HLA-B", "HLA-C", "H3-3B", "PFN1", "CFL1",
    "OAZ1", "SERF2", "MYL6", "BTF3", "COX4I1", "YBX1", "HNRNPA1", "DDX5", "EIF1",
]  # fmt: skip
MITOCHONDRIAL = [
    "MT-ND1", "MT-ND2", "MT-ND3", "MT-ND4", "MT-ND4L", "MT-ND5", "MT-ND6", "MT-CO1", "MT-CO2",
    "MT-CO3", "MT-ATP6", "MT-ATP8", "MT-CYB",
]  # fmt: skip


def levels_to_rates(digits, floor, scale, base):
    """Turn a string of 0-9 levels into mean counts: `floor` for 0, else scale * base**level."""
    levels = np.array([int(digit) for digit in digits])
    return np.where(levels == 0, floor, scale * base**levels)


def read_tables():
    """Return the mean counts (types x genes, types x antibodies) and the gene of each antibody."""
    genes, antibodies, partner = {}, {}, {}
    for line in PANEL.strip().splitlines():
        *name, gene, rna_levels, protein_levels = line.split()
        antibodies[" ".join(name)] = levels_to_rates(protein_levels, 2.0, 2.5, 1.75)
        if gene != "-":
            genes[gene] = levels_to_rates(rna_levels, 0.004, 0.025, 2.0)
            partner[" ".join(name)] = gene
    words = MARKER_GENES.split()
    for gene, rna_levels in zip(words[::2], words[1::2], strict=True):
        genes[gene] = levels_to_rates(rna_levels, 0.004, 0.025, 2.0)
    return pd.DataFrame(genes), pd.DataFrame(antibodies), partner


def add_unspecific_genes(rates, rng):
    """Append ribosomal, housekeeping, mitochondrial and unnamed genes to the marker genes."""
    n_types = len(rates)
    ribosomal = [f"RPL{i}" for i in range(3, 40)] + [f"RPS{i}" for i in range(2, 29)]
    groups = [(ribosomal, 13.0, 0.5), (HOUSEKEEPING, 14.0, 0.7), (MITOCHONDRIAL, 8.0, 0.6)]
    for names, mean, spread in groups:
        common = mean * rng.lognormal(0, spread, len(names))
        between_types = rng.lognormal(0, 0.12, (n_types, len(names)))
        rates = rates.join(pd.DataFrame(common * between_types, columns=names))
    names = [f"GENE{i:04d}" for i in range(1, N_OTHER_GENES + 1)]
    common = 0.25 * rng.lognormal(0, 1.0, len(names))
    differs = rng.random((n_types, len(names))) < 0.04
    change = np.where(differs, 2.0 ** rng.normal(0, 1.6, differs.shape), 1.0)
    return rates.join(pd.DataFrame(common * change, columns=names))


def mix_rates(rates, start, end, step):
    """Go from the rates of one type a step (0-1) towards those of another, on a log scale."""
    return rates[start] ** (1 - step) * rates[end] ** step


def draw_counts(mean, dispersion, rng):
    """Draw negative-binomial counts with the given mean and variance mean + d * mean**2."""
    return rng.poisson(mean * rng.gamma(1 / dispersion, dispersion, mean.shape))


def simulate(seed=SEED):
    """Simulate one experiment.

    Parameters
    ----------
    seed : int
        Seed of the random numbers; the same seed gives the same data.

    Returns
    -------
    rna, protein : AnnData
        Raw counts with the same barcodes as `obs_names`, in different row orders.
    """
    rng = np.random.default_rng(seed)
    gene_rates, antibody_rates, partner = read_tables()
    gene_rates = add_unspecific_genes(gene_rates, rng)
    genes, antibodies = gene_rates.columns, antibody_rates.columns

    # Intact cells, then damaged cells, aggregates and the two cells of each doublet.
    sizes = np.array(list(CELL_TYPES.values()))
    intact = np.repeat(np.arange(len(sizes)), sizes)
    extra = rng.choice(len(sizes), N_DAMAGED + N_AGGREGATES + 2 * N_DOUBLETS, p=sizes / sizes.sum())
    types = np.concatenate([intact, extra])
    n_intact, n_cells = len(intact), len(types)
    damaged = slice(n_intact, n_intact + N_DAMAGED)
    aggregates = slice(damaged.stop, damaged.stop + N_AGGREGATES)
    doublets = slice(aggregates.stop, n_cells)

    # Place each cell between its type and the related one, most of them close to their type.
    names = list(CELL_TYPES)
    relative = np.array([names.index(RELATIVES.get(name, name)) for name in names])
    step = (0.6 * rng.beta(1, 2.5, n_cells))[:, None]
    gene_mean = mix_rates(gene_rates.to_numpy(), types, relative[types], step)
    antibody_mean = mix_rates(antibody_rates.to_numpy(), types, relative[types], step)

    # The hidden state moves an antibody's target as it moves the antibody's gene.
    state = rng.normal(0, 1, (n_cells, N_STATES))
    gene_loadings = pd.DataFrame(rng.normal(0, 0.15, (N_STATES, len(genes))), columns=genes)
    gene_loadings[HOUSEKEEPING + MITOCHONDRIAL] *= 0.3
    gene_mean *= np.exp(state @ gene_loadings.to_numpy())
    antibody_loadings = np.zeros((N_STATES, len(antibodies)))
    for column, antibody in enumerate(antibodies):
        if antibody in partner:
            antibody_loadings[:, column] = 0.8 * gene_loadings[partner[antibody]]
    antibody_mean *= np.exp(state @ antibody_loadings)

    # Depth varies between cells, and monocytes and dendritic cells hold more RNA.
    depth = rng.lognormal(0, 0.3, n_cells) * np.where(types >= 5, 1.2, 1.0)
    depth[damaged] = rng.uniform(0.05, 0.18, N_DAMAGED)
    depth[doublets] *= 2.3
    is_mito = genes.isin(MITOCHONDRIAL)
    gene_mean[damaged, is_mito] *= rng.uniform(3, 9, (N_DAMAGED, 1))
    rna_counts = draw_counts(gene_mean * depth[:, None], 0.15, rng)
    rna_counts[rng.random(rna_counts.shape) < 0.25 * np.exp(-gene_mean)] = 0  # dropout

    # Each antibody has its own unspecific background, and each cell its own staining depth.
    background = rng.gamma(2.0, 4.0, len(antibodies))
    staining = rng.lognormal(0, 0.35, n_cells)
    staining[damaged] = rng.uniform(0.03, 0.4, N_DAMAGED)
    protein_mean = (antibody_mean + background) * staining[:, None]
    protein_mean[aggregates] += rng.uniform(600, 900, (N_AGGREGATES, len(antibodies)))
    protein_counts = draw_counts(protein_mean, 0.4, rng)

    # Add up the two cells of each doublet.
    first, second = np.arange(n_cells)[doublets].reshape(2, N_DOUBLETS)
    rna_counts[first] += rna_counts[second]
    protein_counts[first] += protein_counts[second]
    labels = np.array(names)[types].astype(object)
    labels[first] = "Doublet"

    kept = rng.permutation(first[-1] + 1)
    barcodes = draw_barcodes(len(kept), rng)
    rna = as_anndata(rna_counts[kept], barcodes, genes, labels[kept])
    protein = as_anndata(protein_counts[kept], barcodes, antibodies, labels[kept])
    return rna, protein[rng.permutation(len(kept))].copy()


def draw_barcodes(number, rng):
    """Draw different random 16-base barcodes."""
    barcodes = set()
    while len(barcodes) < number:
        barcodes.add("".join(rng.choice(list("ACGT"), 16)))
    return sorted(barcodes)


def as_anndata(counts, barcodes, features, labels):
    """Wrap counts as AnnData with the true cell types in `obs`."""
    categories = [*CELL_TYPES, "Doublet"]
    return ad.AnnData(
        X=sparse.csr_matrix(counts, dtype=np.float32),
        obs=pd.DataFrame({"cell_type": pd.Categorical(labels, categories)}, index=barcodes),
        var=pd.DataFrame(index=list(features)),
        uns={"source": "simulated by scripts/simulate_citeseq.py; not a measurement"},
    )


def main():
    """Write the two files; stop before overwriting any unless told to."""
    parser = argparse.ArgumentParser(description="Simulate RNA and protein counts.")
    default = Path(__file__).resolve().parent.parent / "data"
    parser.add_argument("--out", type=Path, default=default, help="folder (default: data/)")
    parser.add_argument("--force", action="store_true", help="overwrite existing files")
    args = parser.parse_args()

    targets = [args.out / name for name in ("rna_counts.h5ad", "protein_counts.h5ad")]
    existing = [str(target) for target in targets if target.exists()]
    if existing and not args.force:
        parser.error(f"{', '.join(existing)} already there; --force overwrites")
    args.out.mkdir(parents=True, exist_ok=True)
    for target, adata in zip(targets, simulate(), strict=True):
        adata.write_h5ad(target, compression="gzip", compression_opts=9)
        print(f"{target}: {adata.n_obs} cells x {adata.n_vars} features")


if __name__ == "__main__":
    main()
