"""The index's tables, the same in every database; an index of an older version is filled again."""

from __future__ import annotations

from collections.abc import Mapping

# The index holds nothing that the run folders do not: a change here raises the number, and an index
# of a lower number is thrown away and filled again.
VERSION = 3

# By key and value runs are found, by key and run one run is looked at. Words in braces are those
# that databases have names of their own for.
TABLES = """
CREATE TABLE run (
  id {numbered},
  run_id {text} NOT NULL UNIQUE,
  name {text} NOT NULL,
  experiment {text} NOT NULL,
  status {text} NOT NULL,
  started_at {real} NOT NULL,
  ended_at {real},
  notebook {text},
  parent_run_id {text},
  writer {text} NOT NULL,
  is_settled {whole} NOT NULL,
  evidence {text} NOT NULL
);
CREATE INDEX run_started ON run (started_at, run_id);
CREATE INDEX run_name ON run {equal} (name);
CREATE INDEX run_experiment ON run {equal} (experiment{then});
CREATE INDEX run_notebook ON run {equal} (notebook{then});
CREATE INDEX run_parent ON run {equal} (parent_run_id) WHERE parent_run_id IS NOT NULL;
CREATE INDEX run_unsettled ON run (is_settled) WHERE is_settled = 0;
CREATE TABLE run_document (run {whole} PRIMARY KEY, document {text} NOT NULL, tail {text});
CREATE TABLE metric (key {text} NOT NULL, run {whole} NOT NULL, value {real},
  PRIMARY KEY (key, run)) {clustered};
CREATE INDEX metric_value ON metric (key, value);
CREATE TABLE param (key {text} NOT NULL, run {whole} NOT NULL, text {text} NOT NULL, number {real},
  PRIMARY KEY (key, run)) {clustered};
CREATE INDEX param_text ON param (key, {lead});
CREATE INDEX param_number ON param (key, number) WHERE number IS NOT NULL;
CREATE TABLE tag (key {text} NOT NULL, run {whole} NOT NULL, text {text} NOT NULL,
  PRIMARY KEY (key, run)) {clustered};
CREATE INDEX tag_text ON tag (key, {lead});
CREATE TABLE series_file (run_id {text} NOT NULL, file {text} NOT NULL,
  offset_bytes {whole} NOT NULL,
  PRIMARY KEY (run_id, file));
CREATE TABLE metric_chunk (
  id {numbered},
  run_id {text} NOT NULL, file {text} NOT NULL, key {text} NOT NULL, seq {whole} NOT NULL,
  count {whole} NOT NULL, step_min {whole} NOT NULL, step_max {whole} NOT NULL,
  time_min {whole} NOT NULL, time_max {whole} NOT NULL,
  low {real}, high {real}, last {real}, is_ordered {whole} NOT NULL, blocks {bytes} NOT NULL,
  UNIQUE (run_id, file, key, seq)
);
CREATE TABLE metric_chunk_data (chunk {whole} PRIMARY KEY, data {bytes} NOT NULL);
CREATE TABLE started (run_id {text} PRIMARY KEY, is_new {whole} NOT NULL);
CREATE TABLE late (name {text} PRIMARY KEY, run_id {text} NOT NULL, is_open {whole} NOT NULL);
CREATE TABLE looked (name {text} PRIMARY KEY, at {whole} NOT NULL)
"""


def list_statements(words: Mapping[str, str]) -> list[str]:
    """Give the statements that make the tables.

    Parameters
    ----------
    words
        A database's names for ``numbered`` (a key that it counts up itself), ``whole`` (64 bits),
        ``real`` (64 bits), ``text`` (compared by code point), ``bytes`` and ``clustered`` (rows
        kept in the order of their key). Where an index takes no long text: ``equal`` (an index that
        finds equal text only), ``then`` (columns that follow) and ``lead`` (the beginning of text).

    Returns
    -------
    list of str
        In order.
    """
    return [statement.strip() for statement in TABLES.format(**words).split(";")]
