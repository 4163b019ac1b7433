"""The fixed list of types that a saved scikit-learn model may hold besides those skops trusts.

The list is ours and never read from the saved model: a file must not say how far it is trusted.
Every name was found in fitted estimators of scikit-learn itself. A name of a *function* may be
called by a crafted file with any trusted arguments, so only functions without side effects belong
here. A name of a *class* is safe when making an instance and setting its attributes runs no code.
"""

from __future__ import annotations

_ENSEMBLE = "sklearn.ensemble._hist_gradient_boosting."
_LOSS, _LINK = "sklearn._loss.loss.", "sklearn._loss.link."
_KERNELS = "sklearn.gaussian_process.kernels."
_SPLIT = "sklearn.model_selection._split."
_NEURAL = "sklearn.neural_network._stochastic_optimizers."
_SCORER = "sklearn.metrics._scorer."
_UNIVARIATE, _MUTUAL = "sklearn.feature_selection._univariate_selection.", "_mutual_info."
_DISTANCE = "sklearn.metrics._dist_metrics."

_NAMES: tuple[tuple[str, str], ...] = (
    ("numpy.", "dtype mean"),
    ("functools.", "partial"),  # what it wraps is checked by itself
    ("scipy.interpolate._bsplines.", "BSpline"),
    ("scipy._lib.array_api_compat.numpy._aliases.", "asarray"),
    ("scipy.sparse._csr.", "csr_matrix csr_array"),
    ("scipy.sparse._csc.", "csc_matrix csc_array"),
    ("sklearn.tree._tree.", "Tree"),
    (_ENSEMBLE + "predictor.", "TreePredictor"),
    (_ENSEMBLE + "binning.", "_BinMapper"),
    (
        _LOSS,
        "AbsoluteError ExponentialLoss HalfBinomialLoss HalfGammaLoss HalfMultinomialLoss "
        "HalfPoissonLoss HalfSquaredError HalfTweedieLoss HalfTweedieLossIdentity HuberLoss "
        "PinballLoss",
    ),
    (_LINK, "HalfLogitLink IdentityLink Interval LogitLink LogLink MultinomialLogit"),
    (
        "sklearn.calibration.",
        "_CalibratedClassifier _SigmoidCalibration _TemperatureScaling",
    ),
    ("sklearn.cluster._bisect_k_means.", "_BisectingTree"),
    ("sklearn.cluster._kmeans.", "_kmeans_single_lloyd _kmeans_single_elkan"),
    ("sklearn.compose._column_transformer.", "make_column_selector _RemainderColsList"),
    ("sklearn.gaussian_process._gpc.", "_BinaryGaussianProcessClassifierLaplace"),
    (
        _KERNELS,
        "CompoundKernel ConstantKernel DotProduct ExpSineSquared Exponentiation Hyperparameter "
        "Matern PairwiseKernel Product RBF RationalQuadratic Sum WhiteKernel",
    ),
    (_NEURAL, "AdamOptimizer SGDOptimizer"),
    ("sklearn.neighbors._kd_tree.", "KDTree KDTree32 KDTree64"),
    ("sklearn.neighbors._ball_tree.", "BallTree BallTree32 BallTree64"),
    (
        _DISTANCE,
        "ChebyshevDistance ChebyshevDistance64 EuclideanDistance EuclideanDistance32 "
        "EuclideanDistance64 HammingDistance64 HaversineDistance64 ManhattanDistance "
        "ManhattanDistance64 MinkowskiDistance MinkowskiDistance64 SEuclideanDistance64",
    ),
    ("sklearn.utils._bunch.", "Bunch"),
    ("sklearn.utils.", "Bunch"),
    ("sklearn.utils.validation.", "check_array"),
    (
        _SPLIT,
        "GroupKFold GroupShuffleSplit KFold LeaveOneGroupOut LeaveOneOut PredefinedSplit "
        "RepeatedKFold RepeatedStratifiedKFold ShuffleSplit StratifiedGroupKFold "
        "StratifiedKFold StratifiedShuffleSplit TimeSeriesSplit _CVIterableWrapper",
    ),
    (_SCORER, "_PassthroughScorer _Scorer _MultimetricScorer"),
    (
        "sklearn.metrics._classification.",
        "accuracy_score balanced_accuracy_score brier_score_loss cohen_kappa_score f1_score "
        "fbeta_score jaccard_score log_loss matthews_corrcoef precision_score recall_score",
    ),
    ("sklearn.metrics._ranking.", "average_precision_score roc_auc_score top_k_accuracy_score"),
    (
        "sklearn.metrics._regression.",
        "explained_variance_score max_error mean_absolute_error mean_absolute_percentage_error "
        "mean_squared_error mean_squared_log_error median_absolute_error r2_score "
        "root_mean_squared_error",
    ),
    (_UNIVARIATE, "chi2 f_classif f_oneway f_regression r_regression"),
    (
        "sklearn.feature_selection." + _MUTUAL,
        "mutual_info_classif mutual_info_regression",
    ),
)

TRUSTED_TYPES: frozenset[str] = frozenset(
    prefix + name for prefix, names in _NAMES for name in names.split()
)
"""Full names of the types and functions that `flavor_skops` lets a saved model hold."""
