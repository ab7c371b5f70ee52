"""Functions and methods by name: what they read, leave unchanged or change.

A call that is not listed is assumed to change everything that it is given. A name belongs here
only if no version of the library behaves otherwise.
"""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# ---------------------------------------------------------------- built-in functions
GIVES_SCALAR = _words(
    "len int float str bool round repr format hash id isinstance issubclass callable hasattr "
    "print display ord chr bin hex oct ascii"
)
GIVES_ITERATOR = _words("iter map filter zip enumerate reversed")
GIVES_LIST = _words("list sorted set tuple frozenset")
BUILTIN_PURE = (
    GIVES_SCALAR
    | GIVES_ITERATOR
    | GIVES_LIST
    | _words(
        "dict range slice type abs all any bytes complex divmod getattr max min next pow sum super "
        "object help property staticmethod classmethod "
        "Exception ValueError KeyError NameError TypeError RuntimeError AssertionError "
        "NotImplementedError IndexError StopIteration ImportError OSError FileNotFoundError"
    )
)
# These may read, bind or change any name of the kernel.
OPAQUE = _words(
    "exec eval globals locals vars dir setattr delattr get_ipython __import__ reload compile "
    "breakpoint run_line_magic run_cell_magic import_module settrace setprofile"
)

# ---------------------------------------------------------------- methods
# Python's containers: these change only the container, and may keep what they are given
CONTAINER_CHANGES = _words(
    "append extend insert add update remove discard pop popitem clear sort reverse setdefault "
    "popleft appendleft rotate subtract difference_update intersection_update "
    "symmetric_difference_update"
)
# methods that change their object, wherever they are called: `sorted(y, key=x.append)`
HANDED_ON = CONTAINER_CHANGES | _words(
    "__setitem__ __delitem__ fill put fit partial_fit fit_transform"
)
CONTAINER_READS = _words(
    "copy count index get items keys values union intersection difference issubset issuperset "
    "symmetric_difference isdisjoint most_common elements total"
)
# pandas and NumPy: the result may share memory with the object
ARRAY_VIEWS = _words(
    "head tail ravel reshape squeeze transpose to_numpy get swapaxes view get_group iterrows "
    "itertuples items keys values first last nth groupby rolling expanding resample ewm xs take "
    "filter diagonal to_frame tocsr tocsc tocoo conj"
)
# of these, the result also shows later changes of the object, such as a new column
ARRAY_LIVE = _words(
    "groupby rolling expanding resample ewm iterrows itertuples items style loc iloc at iat obj "
    "data base plot hist str dt cat"
)
# attributes of an array or DataFrame that are values of their own
ARRAY_ATTRIBUTES = _words(
    "T values index columns dtypes dtype shape size empty ndim axes name names flat real imag "
    "array nbytes itemsize strides levels codes categories year month day hour"
)
# pandas and NumPy: the object is unchanged (without inplace= and out=), the result is new
ARRAY_READS = _words(
    "abs add agg aggregate align all any apply argmax argmin argsort asfreq asof assign astype "
    "between bfill clip combine combine_first compare convert_dtypes copy corr corrwith count "
    "cov cummax cummin cumprod cumsum describe diff div divide dot drop drop_duplicates "
    "droplevel dropna duplicated eq equals eval explode ffill fillna floordiv ge gt idxmax "
    "idxmin infer_objects info interpolate isin isna isnull item join kurt le lt map mask max "
    "mean median melt memory_usage merge min mod mode mul multiply ne nlargest notna notnull "
    "nsmallest nunique pct_change pivot pivot_table pow prod product quantile query rank "
    "reindex reindex_like rename rename_axis reorder_levels replace reset_index round rpow rsub "
    "rdiv sample select_dtypes sem set_axis set_index shift size skew sort_index sort_values "
    "stack std sub subtract sum swaplevel to_csv to_dict to_json to_list to_parquet "
    "to_string tolist transform truediv truncate tz_convert tz_localize unique unstack "
    "value_counts var where applymap cumcount ngroup toarray todense trace "
    "searchsorted nonzero repeat to_markdown to_html to_records to_timestamp to_period "
    "day_name month_name strftime total_seconds union intersection difference contains match "
    "extract findall cat len isalnum argpartition getnnz flatten "
    # of text
    "lower upper strip lstrip rstrip split rsplit splitlines rpartition startswith "
    "endswith format title capitalize casefold find rfind encode decode zfill isdigit isalpha "
    "isnumeric removeprefix removesuffix center ljust rjust swapcase translate"
)
CALLS_ITS_ARGUMENTS = _words("apply map transform agg aggregate filter assign applymap pipe")
PLOTS = _words(
    "plot scatter hist bar barh boxplot violinplot imshow pcolormesh contour contourf errorbar "
    "fill_between axhline axvline text annotate legend set_title set_xlabel set_ylabel set_xlim "
    "set_ylim grid savefig"
)
# Formulas and queries name variables inside a text.
READS_NAMES_IN_TEXT = _words("query eval sql ols logit glm from_formula dmatrix dmatrices execute")
# Attributes of a DataFrame itself; any other attribute is a column.
FRAME_ATTRIBUTES = (
    ARRAY_VIEWS
    | ARRAY_READS
    | CONTAINER_CHANGES
    | PLOTS
    | ARRAY_LIVE
    | _words(
        "T add_prefix add_suffix at_time attrs axes between_time bool columns dtypes empty "
        "first_valid_index flags from_arrow from_dict from_records index isetitem kurtosis "
        "last_valid_index ndim radd rfloordiv rmod rmul rtruediv set_flags shape sparse "
        "to_clipboard to_excel to_feather to_hdf to_iceberg to_latex to_orc to_pickle to_sql "
        "to_stata to_xarray to_xml tshift slice_shift lookup iteritems mad pad backfill"
    )
)
ANNDATA_FIELDS = _words("X obs var uns obsm varm obsp varp layers raw")
ANNDATA_READS = _words("copy to_df obs_vector var_vector write write_h5ad write_zarr chunk_X")

# ---------------------------------------------------------------- functions of libraries
# These libraries change none of their arguments, except in CHANGES_ITS_ARGUMENT.
QUIET = _words(
    "pandas numpy scipy math statistics json re collections itertools functools operator copy "
    "string datetime time pathlib os sys matplotlib seaborn textwrap warnings random typing "
    "dataclasses csv pickle decimal fractions enum logging platform glob shutil tqdm pprint io "
    "tempfile hashlib calendar zoneinfo uuid sklearn statsmodels IPython gc abc contextlib "
    "types numbers array heapq bisect secrets"
)
GIVES_ARRAY = _words("pandas numpy scipy")
GIVES_NUMBER = _words("math statistics time")
GIVES_PIECE = _words("itertools functools operator random copy heapq contextlib tqdm collections")
GIVES_MODEL = _words("sklearn statsmodels")  # objects whose methods change only themselves
CHANGES_ITS_ARGUMENT = _words(
    "put copyto place putmask fill_diagonal shuffle at setitem delitem iadd iconcat heappush "
    "heappop heapify heapreplace heappushpop insort insort_left insort_right register update "
    "consume put_along_axis reduce setattr"
)
SHARES_ITS_ARGUMENT = _words(
    "nditer asarray ravel reshape squeeze transpose DataFrame Series Index atleast_1d "
    "atleast_2d broadcast_to array concat moveaxis swapaxes expand_dims split array_split diag "
    "csr_matrix csc_matrix coo_matrix frombuffer asanyarray ascontiguousarray rollaxis flip "
    "real imag as_strided sliding_window_view diagonal atleast_3d hsplit vsplit dsplit "
    "broadcast_arrays meshgrid require asfortranarray asmatrix matrix rot90 flipud fliplr "
    "trim_zeros unwrap to_numeric to_datetime to_timedelta Categorical MultiIndex csr_array "
    "csc_array coo_array lil_matrix lil_array dia_matrix bsr_matrix merge asarray_chkfinite "
    "nan_to_num einsum unstack matrix_transpose permute_dims real_if_close masked_array "
    "MaskedArray getdata getmask getmaskarray"
)
SETS_OPTIONS = _words(
    "set_option reset_option rc rcdefaults use set_theme set_style set_context set_palette set "
    "seterr chdir filterwarnings simplefilter set_printoptions set_figure_params basicConfig "
    "putenv unsetenv setlocale resetwarnings set_config setrecursionlimit rc_file set_loglevel"
)
SEEDS = {
    "numpy.random.seed": "·numpy.random",
    "random.seed": "·random",
    "torch.manual_seed": "·torch.random",
}
TORCH = _words("torch torchvision pyro scvi lightning pytorch_lightning transformers")
MAKES_GENERATOR = _words("default_rng RandomState Random Generator SeedSequence PCG64 MT19937")
READS_CLOCK = _words(
    "time perf_counter now today utcnow uuid4 uuid1 urandom input getpass token_hex monotonic "
    "process_time ctime localtime gmtime token_bytes token_urlsafe SystemRandom"
)
READS_FILES = _words(
    "listdir glob rglob iglob exists iterdir walk scandir stat getsize getmtime open isfile "
    "isdir is_file is_dir read_csv read_parquet read_excel read_json read_pickle load loadtxt "
    "genfromtxt read_text read_bytes read_table read_hdf read_feather read_h5ad read_10x_h5 "
    "read_10x_mtx imread"
)
NAMES_A_FILE = _words("filepath_or_buffer path_or_buf path fname file filename step name io")
WRITES_FILES = _words(
    "to_csv to_json to_parquet to_pickle to_excel to_feather to_hdf to_html dump write_text "
    "write_bytes save savetxt savez savez_compressed savefig write write_h5ad write_zarr mkdir "
    "makedirs unlink remove rmtree rename touch copyfile copytree copy2 move rmdir imsave "
    "symlink_to to_sql to_zarr to_netcdf"
)
# NumPy functions that take an output array after one or two inputs
UNARY = _words(
    "exp exp2 expm1 log log2 log10 log1p sqrt cbrt square abs absolute fabs negative positive "
    "sign rint floor ceil trunc sin cos tan arcsin arccos arctan sinh cosh tanh reciprocal "
    "isnan isfinite isinf invert logical_not conj degrees radians"
)
BINARY = _words(
    "add subtract multiply divide true_divide floor_divide power float_power mod remainder fmod "
    "maximum minimum fmax fmin arctan2 hypot logaddexp greater greater_equal less less_equal "
    "equal not_equal logical_and logical_or logical_xor bitwise_and bitwise_or bitwise_xor dot "
    "matmul outer left_shift right_shift"
)
GIVES_ITERATORS = _words(
    "open glob iglob rglob iterdir walk scandir finditer reader DictReader tqdm trange iterrows "
    "itertuples"
)
# scanpy functions: what they read and write in an AnnData if called with only these keywords
SCANPY_WRITES = {
    "scanpy.tl.leiden": (
        ("obsp", "uns/neighbors"),
        "leiden",
        _words("resolution random_state key_added n_iterations flavor directed"),
    ),
    "scanpy.tl.louvain": (
        ("obsp", "uns/neighbors"),
        "louvain",
        _words("resolution random_state key_added flavor directed"),
    ),
}

# ---------------------------------------------------------------- magics
LOOKING_MAGICS = _words(
    "who whos who_ls time timeit prun matplotlib config pinfo pinfo2 pdoc psource pfile pdef "
    "history hist precision load_ext autoreload lsmagic magic quickref pwd ls watermark memit "
    "mprun lprun xmode colors pdb pprint doctest_mode automagic capture"
)
SHELL_MAGICS = _words(
    "bash sh system sx cd pip conda mamba uv mkdir cp mv rm cat script writefile html HTML "
    "javascript js latex svg SVG markdown perl ruby env set_env file dirs pushd popd"
)
