"""The 110 cases of the harm suite, each with the tests that hold its outcome, or why none does.

Numbers and cases are those of the research page on auto-logging; a name is ``room/file::test``.
"""

from __future__ import annotations

KERNEL: dict[int, tuple[str, ...]] = {
    1: (  # load twice, reload, autoreload: one set of hooks
        "kernel/test_extension::test_loading_again_makes_one_set_of_hooks",
        "kernel/test_extension::test_reloaded_modules_find_what_is_loaded",
        "autolog/test_harm::test_arming_twice_is_arming_once",
    ),
    2: (  # unload: every object is the original
        "kernel/test_extension::test_unload_restores_the_shell",
        "autolog/test_harm::test_disarming_restores_the_very_objects",
        "autolog/test_torch_harm::test_disarming_restores_the_very_objects",
        "autolog/test_boosters_harm::test_disarming_restores_the_very_objects",
        "autolog/test_crossval::test_functions_stay_themselves",
    ),
    3: (  # loading imports nothing heavy
        "kernel/test_extension::test_load_is_light",
        "autolog/test_harm::test_arming_imports_nothing",
    ),
    4: (  # store unwritable, full, deleted: one line, cells go on
        "kernel/test_extension::test_missing_permission_is_told_in_one_line",
        "autolog/test_harm_injected::test_full_disk_leaves_the_notebook_alone",
        "autolog/test_cases_cells::test_a_store_that_is_deleted_meanwhile",
        "autolog/test_cases_cells::test_a_store_that_becomes_a_file",
    ),
    5: (  # every hook may raise
        "kernel/test_hooks::test_failing_hook_never_reaches_the_cell",
        "autolog/test_harm_injected::test_a_hook_that_raises_is_told_once_and_stopped",
        "autolog/test_torch_harm::test_a_hook_that_raises_is_told_once_and_stopped",
        "autolog/test_lineage::test_a_failing_recorder_stops_and_says_so_once",
    ),
    6: (  # empty cell: no record; comment only: a record
        "kernel/test_hooks::test_empty_silent_and_hidden_cells_are_ignored",
        "kernel/test_cases::test_a_cell_of_comments_is_a_cell",
    ),
    7: ("kernel/test_hooks::test_end_of_a_cell_is_recorded",),  # SyntaxError
    8: ("autolog/test_cases_cells::test_what_a_failed_cell_binds_is_not_sure",),
    9: (  # KeyboardInterrupt in a loop: metrics so far are kept
        "kernel/test_kernel::test_interrupted_cell_is_recorded_as_such",
        "autolog/test_torch::test_loop_that_stops_early",
    ),
    10: ("kernel/test_kernel::test_interrupted_cell_is_recorded_as_such",),  # during await
    11: ("kernel/test_hooks::test_end_of_a_cell_is_recorded",),  # SystemExit
    12: (  # nested run_cell, %run of a notebook
        "kernel/test_hooks::test_nested_cells_are_told_apart",
        "kernel/test_cases::test_a_notebook_run_in_a_cell",
    ),
    13: (  # async cells, a task that ends after its cell
        "kernel/test_cases::test_tasks_and_figures_in_a_kernel",
        "tracking/test_run::test_tasks_have_runs_of_their_own",
    ),
    14: ("kernel/test_hooks::test_empty_silent_and_hidden_cells_are_ignored",),
    15: ("kernel/test_cases::test_cells_behind_an_error_and_a_restart",),
    16: (  # kill -9: whole up to there, and told as interrupted
        "autolog/test_cases_cells::test_a_kernel_killed_within_a_fit",
        "store/test_deferred::test_runs_of_a_killed_process_are_found",
        "store/test_runs::test_nothing_that_returned_is_lost_by_sigkill",
    ),
    17: (  # restart with an open run
        "tracking/test_run::test_an_open_run_ends_with_its_script",
        "kernel/test_cases::test_cells_behind_an_error_and_a_restart",
    ),
    18: ("autolog/test_cases_cells::test_a_number_that_is_used_again",),
    19: (  # fork within a cell
        "autolog/test_harm::test_forked_child_records_nothing",
        "autolog/test_torch_harm::test_forked_child_records_nothing",
        "store/test_deferred::test_a_forked_child_adds_to_the_run",
    ),
    20: ("autolog/test_cases_cells::test_one_notebook_in_two_kernels",),
    21: (  # papermill: ids, tags and parameters
        "kernel/test_kernel::test_notebook_in_a_kernel",
        "pipeline/test_engine::test_papermill_logs_a_run",
    ),
    22: (  # VS Code, terminal, plain script: no cell id
        "kernel/test_extension::test_notebook_is_found_in_vs_code",
        "kernel/test_cases::test_magics_are_recorded_as_written",
        "autolog/test_script_on::test_a_script",
    ),
    23: (  # loaded in the last cell
        "autolog/test_metrics::test_names_imported_before_arming_are_recorded",
        "kernel/test_hooks::test_code_beside_the_load_belongs_to_its_cell",
    ),
    24: ("autolog/test_output::test_a_million_frames_are_one_line",),
    25: (  # secrets
        "autolog/test_addresses::test_a_secret_stands_nowhere",
        "autolog/test_output::test_secrets_are_taken_out",
        "pipeline/test_cache_runs::test_secret_is_nowhere",
    ),
}

SKLEARN: dict[int, tuple[str, ...]] = {
    26: (  # pipelines, searches in any workers, what fits others
        "autolog/test_fits::test_search_is_one_run",
        "autolog/test_cases_fits::test_a_search_over_a_pipeline",
        "autolog/test_cases_fits::test_what_fits_others_is_one_run",
    ),
    27: ("autolog/test_crossval::test_scores_are_one_run",),
    28: ("autolog/test_fits::test_fits_in_threads_are_each_a_run",),
    29: ("autolog/test_fits::test_partial_fit_is_one_run",),
    30: (  # ValueError, InvalidParameterError
        "autolog/test_fits::test_failing_fit_is_a_failed_run",
        "autolog/test_cases_fits::test_a_parameter_that_is_refused",
        "autolog/test_harm_errors::test_tracebacks_are_identical",
    ),
    31: (  # estimators of the user's, with and without a library inside
        "autolog/test_ownfits::test_a_fit_without_a_library_is_a_run",
        "autolog/test_fits::test_estimator_of_the_user_is_recorded_as_such",
    ),
    32: (  # bytes of a model
        "autolog/test_harm::test_model_is_the_same_with_and_without_us",
        "autolog/test_cases_fits::test_bytes_of_a_model_in_every_form",
    ),
    33: (  # metric functions pickle, and work in processes
        "autolog/test_harm::test_functions_are_themselves",
        "autolog/test_fits::test_search_is_one_run",
    ),
    34: ("autolog/test_metrics::test_names_imported_before_arming_are_recorded",),
    35: (
        "autolog/test_cases_fits::test_one_metric_of_many_inside",
        "autolog/test_metrics::test_derived_value_is_the_variable",
    ),
    36: ("autolog/test_metrics::test_name_of_a_metric",),
    37: ("autolog/test_cases_fits::test_one_metric_of_many_inside",),
    38: ("autolog/test_fits::test_sparse_data_are_never_made_dense",),
    39: (
        "autolog/test_harm::test_copies_carry_nothing_of_ours",
        "autolog/test_cases_fits::test_set_params_keeps_what_was_recorded",
    ),
    40: ("autolog/test_harm::test_unknown_library_version_is_told",),
    41: ("autolog/test_harm::test_callbacks_of_the_user_still_run",),
}

TORCH: dict[int, tuple[str, ...]] = {
    42: ("autolog/test_torch::test_plain_loop_is_a_run",),
    43: ("autolog/test_torch_shapes::test_gathered_gradients_are_one_value_a_step",),
    44: ("autolog/test_torch_shapes::test_scaled_losses_are_recorded_unscaled",),
    45: ("autolog/test_torch_shapes::test_closure_is_one_step",),
    46: ("autolog/test_torch_shapes::test_two_optimizers_are_one_run",),
    47: ("autolog/test_torch_shapes::test_calls_of_every_kind",),
    48: ("autolog/test_torch::test_losses_that_are_no_numbers",),
    49: (
        "autolog/test_torch_shapes::test_groups_and_rates_that_are_tensors",
        "autolog/test_torch_shapes::test_scheduler_gives_a_series_of_rates",
    ),
    50: ("autolog/test_torch_compile::test_compiled_model",),
    51: ("autolog/test_cases_torch::test_no_hook_of_modules_is_global",),
    52: ("autolog/test_torch_shapes::test_workers_of_a_loader",),
    53: ("autolog/test_torch_shapes::test_loop_without_a_loader_has_epochs",),
    54: (
        "autolog/test_torch_harm::test_steps_gather_a_bounded_amount",
        "autolog/test_torch_harm::test_nothing_of_the_user_is_kept_alive",
    ),
    55: (
        "autolog/test_boosters_harm::test_callbacks_of_the_user_stay_theirs",
        "autolog/test_keras::test_early_stopping_and_interrupts",
        "autolog/test_lightning::test_callbacks_and_checkpoints_are_the_users",
    ),
    56: ("autolog/test_torch_harm::test_copies_carry_nothing_of_ours",),
}

FILES: dict[int, tuple[str, ...]] = {
    57: (
        "autolog/test_lineage::test_libraries_that_open_through_python",
        "autolog/test_lineage::test_libraries_that_open_past_python",
        "autolog/test_lineage::test_databases_and_queries",
        "autolog/test_cases_files::test_a_file_is_named_once_for_each_way",
    ),
    58: ("autolog/test_lineage::test_what_is_not_the_users_is_left_out",),
    59: ("autolog/test_lineage::test_a_file_that_is_read_and_overwritten",),
    60: (
        "autolog/test_lineage::test_paths_of_every_form",
        "autolog/test_addresses::test_addresses_are_told_from_paths",
    ),
    61: (
        "autolog/test_lineage::test_very_many_files",
        "autolog/test_cases_files::test_opens_in_threads_and_at_the_very_end",
    ),
    62: (
        "kernel/test_cases::test_tasks_and_figures_in_a_kernel",
        "kernel/test_kernel::test_figure_as_a_value_is_kept_once",
        "kernel/test_figures::test_each_figure_is_kept_once",
    ),
    63: (
        "kernel/test_figures::test_image_is_taken_from_what_is_displayed",
        "kernel/test_figures::test_budget_of_a_cell_is_kept",
    ),
}

_CELL = "notebook/test_dataflow::test_one_cell"
_BARRIER = "notebook/test_dataflow::test_what_cannot_be_told_is_a_barrier"
_FUNCTIONS = "notebook/test_dataflow::test_functions_are_followed_into_the_cells_that_use_them"
_PROGRAMS = "notebook/test_dataflow_programs::test_every_real_change_is_predicted"
# From 64 to 94; those that one table of sources holds are not told one by one.
ANALYSIS: dict[int, tuple[str, ...]] = dict.fromkeys(range(64, 95), (_CELL,)) | {
    69: (_CELL, "notebook/test_dataflow::test_parameters_changed_by_functions_of_the_notebook"),
    76: (_CELL, _FUNCTIONS),
    77: (_FUNCTIONS, _PROGRAMS),
    78: (_CELL, "notebook/test_dataflow::test_global_statements_write_in_the_calling_cell"),
    82: ("notebook/test_dataflow::test_type_statements_and_generics",),
    84: (_BARRIER,),
    85: (_CELL, _BARRIER),
    87: (_CELL, _BARRIER),
    89: ("notebook/test_dataflow::test_user_variables_hide_builtins",),
    91: (
        _CELL,
        "notebook/test_dataflow::test_closures_partials_instances_and_lambdas_carry_their_code",
    ),
    92: (_CELL, "notebook/test_dataflow::test_aliases_across_cells_change_together"),
    94: (_BARRIER, "notebook/test_dataflow::test_large_cells_are_analysed_in_time"),
}

PIPELINES: dict[int, tuple[str, ...]] = {
    95: (
        "pipeline/test_comparing::test_what_cannot_be_compared_is_never_equal",
        "pipeline/test_comparing_libraries::test_figures_that_cannot_be_copied_are_not_equal",
    ),
    96: (
        "pipeline/test_boundary_torch::test_torch_program_in_steps_prints_the_same",
        "pipeline/test_comparing_torch::test_tied_weights_and_shared_storage_stay",
    ),
    97: (
        "pipeline/test_comparing_libraries::test_frames_are_compared_by_column",
        "pipeline/test_comparing_libraries::test_equal_frames_are_equal",
        "data/test_fingerprint::test_other_content_other_fingerprint",
    ),
    98: ("data/test_fingerprint::test_over_the_limit_only_a_sample_is_read",),
    99: (
        "pipeline/test_comparing::test_what_is_shared_stays_shared",
        "pipeline/test_boundary_cuts::test_any_cut_program_equals_the_whole",
    ),
    100: (
        "pipeline/test_graph::test_history_is_noticed",
        "pipeline/test_verify::test_a_difference_is_named",
    ),
    101: (
        "pipeline/test_cache::test_other_seeds_run_what_draws",
        "pipeline/test_verify::test_random_states_that_are_never_fixed_say_nothing",
    ),
    102: (
        "pipeline/test_patches::test_values_are_set_again",
        "pipeline/test_library_state::test_registry_is_carried",
    ),
    103: (
        "notebook/test_slicing::test_slices_are_minimal_and_enough",
        "pipeline/test_verify::test_a_sound_pipeline_is_verified",
        "pipeline/test_verify::test_a_difference_is_named",
    ),
    104: ("pipeline/test_boundary_cuts::test_any_cut_program_equals_the_whole",),
    105: ("pipeline/test_boundary_graph::test_program_in_steps_prints_the_same",),
    106: (
        "pipeline/test_boundary::test_foreign_state_is_refused_before_it_runs",
        "pipeline/test_boundary::test_changed_byte_is_refused",
    ),
    107: (
        "pipeline/test_formats_files::test_flipped_bit_is_found",
        "pipeline/test_formats::test_trouble_with_a_format_leaves_a_pickle",
        "registry/test_flavors::test_archives_of_another_make_are_refused",
    ),
    108: ("registry/test_flavors::test_crafted_types_are_refused",),
    109: (
        "pipeline/test_boundary_graph::test_what_cannot_cross_is_named",
        "registry/test_flavors::test_code_of_the_notebook_is_refused_by_name",
    ),
    110: (
        "notebook/test_parameters::test_values_reach_the_declared_type",
        "notebook/test_parameters::test_other_lines_are_refused_with_the_fix",
    ),
}

CASES = KERNEL | SKLEARN | TORCH | FILES | ANALYSIS | PIPELINES

# What no test can show here, or what became of it.
REASONS: dict[int, str] = {
    33: "The scorer of the search in processes is made of a metric function.",
    40: "One version of scikit-learn is installed here: the other hook is tried by hand, and a"
    " version without any is simulated.",
    100: "A pipeline never goes by the order in which cells were run: it is planned from the"
    " document, and compared with running it from top to bottom.",
    105: "A value crosses as what it is; no type is promised to the next step, which fails with"
    " Python's own error at the cell that minds.",
}
