"""Tables of what well-known functions and methods do to their arguments."""

from __future__ import annotations


def _words(text: str) -> frozenset[str]:
    """Give the words of a table."""
    return frozenset(text.split())


# Names by which modules are usually known, for cells that are looked at alone.
USUAL_MODULES = {
    "np": "numpy",
    "pd": "pandas",
    "plt": "matplotlib.pyplot",
    "sns": "seaborn",
    "torch": "torch",
    "nn": "torch.nn",
    "F": "torch.nn.functional",
    "os": "os",
    "sys": "sys",
    "re": "re",
    "json": "json",
    "math": "math",
    "random": "random",
    "time": "time",
    "sklearn": "sklearn",
}

PURE_BUILTINS = _words(
    """
    abs all any ascii bin bool bytes callable chr complex dict display divmod enumerate
    filter float format frozenset getattr hasattr hash help hex id int isinstance issubclass
    iter len list map max memoryview min oct open ord pow print property range repr reversed
    round set slice sorted staticmethod str sum super tuple type zip
    """
)
# Their result holds the arguments' items; of the other builtins above it is a new value.
HOLDING_BUILTINS = _words(
    """
    dict enumerate filter frozenset getattr iter list map max memoryview min reversed set
    sorted super tuple zip
    """
)
# Their result is used up by reading it.
ITERATOR_BUILTINS = frozenset({"enumerate", "filter", "iter", "map", "open", "reversed", "zip"})
# They use up an iterator that they are given.
CONSUMING_BUILTINS = _words(
    """
    all any dict enumerate filter frozenset iter list map max min set sorted sum tuple zip
    """
)

# Modules whose functions leave their arguments as they are ...
PURE_MODULES = tuple(
    sorted(
        _words(
            """
            numpy pandas math statistics json re os pathlib time datetime itertools functools
            collections string textwrap operator warnings matplotlib seaborn sklearn.metrics
            sklearn.model_selection sklearn.datasets sklearn.base.clone sklearn.inspection
            sklearn.utils sklearn.pipeline sklearn.compose torch.tensor torch.from_numpy
            torch.utils.data torch.manual_seed torch.no_grad torch.inference_mode
            torch.nn.functional scipy statsmodels palmerpenguins copy IPython.display
            """
        )
    )
)
# ... except these, which change their first argument.
MUTATING_FUNCTIONS = _words(
    """
    random.shuffle numpy.random.shuffle numpy.put numpy.place numpy.putmask numpy.copyto
    numpy.fill_diagonal numpy.put_along_axis heapq.heappush heapq.heappop heapq.heapify
    heapq.heapreplace heapq.heappushpop bisect.insort bisect.insort_left bisect.insort_right
    operator.setitem operator.delitem operator.iadd setattr delattr next
    torch.nn.utils.clip_grad_norm_ torch.nn.utils.clip_grad_value_
    """
)
# Their result is a new value that shares nothing with the arguments.
FRESH_MODULES = tuple(
    sorted(
        _words(
            """
            math statistics json re os time datetime sklearn.metrics sklearn.datasets
            sklearn.model_selection.train_test_split sklearn.model_selection.cross_val_score
            sklearn.model_selection.cross_validate copy.deepcopy pandas numpy.array numpy.mean
            numpy.sum numpy.zeros numpy.ones numpy.arange numpy.linspace numpy.concatenate
            numpy.random matplotlib seaborn
            """
        )
    )
)

MUTATING_METHODS = _words(
    """
    append appendleft extend extendleft insert remove pop popleft popitem clear update
    setdefault add discard sort reverse rotate fit partial_fit fit_transform fit_predict
    fit_resample step zero_grad backward load_state_dict train eval write writelines close
    seek read readline readlines shuffle fill put resize setflags set_params compile
    add_module send throw execute executemany commit difference_update intersection_update
    symmetric_difference_update requires_grad_ set_index_ subtract_update manual_seed seed
    itemset byteswap partition_ __setitem__ __delitem__ __setattr__ __iadd__ __next__
    """
)
# A step of an optimizer changes what the optimizer holds.
REACHING_METHODS = frozenset({"step"})
# Their result is the object itself.
SELF_METHODS = frozenset({"fit", "partial_fit", "set_params", "requires_grad_", "train", "eval"})

# Leave the object as it is; the result is a new value.
FRESH_METHODS = _words(
    """
    head tail describe info mean sum std var min max median mode quantile copy astype
    groupby value_counts isna isnull notna notnull unique nunique merge drop dropna
    drop_duplicates duplicated fillna ffill bfill reset_index set_index rename sort_values
    sort_index assign query agg aggregate predict predict_proba predict_log_proba
    decision_function transform inverse_transform score score_samples get_params
    get_feature_names_out strip lstrip rstrip split rsplit splitlines lower upper title
    capitalize casefold format replace startswith endswith encode decode join count index
    find rfind zfill ljust rjust center isdigit isalpha isnumeric tolist item to_numpy
    to_csv to_dict to_parquet to_json to_frame to_list to_string to_html to_markdown corr
    cov select_dtypes sample nlargest nsmallest pivot_table pivot melt stack unstack round
    abs clip between isin cumsum cumprod cummax cummin diff shift pct_change any all argmax
    argmin argsort dot nonzero searchsorted astimezone isoformat strftime timestamp date
    explode crosstab filter_ idxmax idxmin memory_usage equals eq ne lt le gt ge mul div
    exists is_file is_dir read_text read_bytes as_posix with_suffix with_name iterdir glob
    rglob most_common union intersection difference issubset issuperset hexdigest digest
    bit_length conj savefig tight_layout state_dict numel size get_depth get_n_leaves first
    last ngroups nth cumcount rank add_prefix add_suffix combine_first reindex align
    interpolate where mask
    """
)
# Leave the object as it is; the result shows or holds parts of it.
VIEW_METHODS = _words(
    """
    get values keys items ravel reshape view squeeze unsqueeze transpose swapaxes permute
    detach numpy cpu parameters named_parameters children modules named_children buffers
    iterrows itertuples named_steps __getitem__ __iter__ get_group xs iat at cat str dt
    expand flatten contiguous pipe best_estimator_
    """
)
# Arguments by which an otherwise harmless call changes its object.
IN_PLACE_ARGUMENTS = frozenset({"inplace"})


def is_under(path: str, modules: tuple[str, ...]) -> bool:
    """Tell whether a dotted path is one of these modules or lies in one.

    Parameters
    ----------
    path
        For example ``sklearn.metrics.f1_score``.
    modules
        Dotted paths.

    Returns
    -------
    bool
        Whether one of them leads.
    """
    return any(path == module or path.startswith(f"{module}.") for module in modules)
