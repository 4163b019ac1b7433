import { describe, expect, it } from 'vitest';

import {
  formatAge,
  formatDuration,
  formatMetric,
  formatParam,
  pickKeyMetrics
} from '../components/format';

describe('formatMetric', () => {
  it.each([
    [0.935672, '0.9357'],
    [0, '0'],
    [-0.5, '-0.5'],
    [12345, '12345'],
    [1234.567, '1235'],
    [0.0123456, '0.0123'],
    [0.00123456, '0.00123'],
    [0.0001234, '1.23E-4'],
    [98765432.1, '9.88E7']
  ])('gives %f as %s', (value, text) => {
    expect(formatMetric(value, 'en')).toBe(text);
  });

  it('gives more digits when asked', () => {
    expect(formatMetric(0.9123456789012, 'en', 10)).toBe('0.9123456789');
  });

  it('shows the words that JSON has no numbers for', () => {
    expect(formatMetric('NaN', 'en')).toBe('NaN');
    expect(formatMetric('-Infinity', 'en')).toBe('-∞');
  });

  it("uses the language's own decimal sign", () => {
    expect(formatMetric(0.25, 'de')).toBe('0,25');
  });
});

describe('formatDuration', () => {
  it.each([
    [0.0004, '0 ms'],
    [0.25, '250 ms'],
    [12.34, '12.3 s'],
    [59.99, '59.9 s'],
    [60, '1 min 0 s'],
    [3599, '59 min 59 s'],
    [7384, '2 h 3 min'],
    [-3, '0 ms']
  ])('gives %f seconds as %s', (seconds, text) => {
    expect(formatDuration(seconds, 'en').replaceAll('\u00a0', ' ')).toBe(text);
  });

  it('keeps number and unit on one line, in other languages too', () => {
    expect(formatDuration(0.25, 'fr')).toBe('250\u00a0ms');
  });
});

describe('formatAge', () => {
  it.each([
    [0, 'now'],
    [-60000, 'now'],
    [30, '30 sec. ago'],
    [90, '1 min. ago'],
    [7200, '2 hr. ago'],
    [86400, 'yesterday'],
    [864000, '10 days ago']
  ])('gives %d seconds as %s', (seconds, text) => {
    const now = Date.parse('2026-11-21T10:00:00Z');
    expect(formatAge(now - seconds * 1000, now, 'en')).toBe(text);
  });
});

describe('formatParam', () => {
  it('leaves text as it is and gives the rest as Python or JSON', () => {
    expect(formatParam('a "b"')).toBe('a "b"');
    expect(formatParam([1, 2])).toBe('[1,2]');
    expect([true, false, null].map(formatParam)).toEqual([
      'True',
      'False',
      'None'
    ]);
  });
});

describe('pickKeyMetrics', () => {
  it('prefers what most runs have, then what was logged first', () => {
    const rows = [{ rmse: 1 }, { acc: 1, f1: 1, auc: 1 }, { acc: 1, f1: 1 }];
    expect(pickKeyMetrics(rows, 3)).toEqual(['acc', 'f1', 'rmse']);
  });

  it('prefers results to the course of a training', () => {
    const rows = [
      { lr: 1, 'lr/opt_g': 1, 'grad_norm.1': 1, n_calls: 1, epoch: 3, loss: 1 }
    ];
    expect(pickKeyMetrics(rows, 2)).toEqual(['loss', 'lr']);
    expect(pickKeyMetrics([{ lr: 1, lrs: 2, times: 3 }], 2)).toEqual([
      'lrs',
      'times'
    ]);
  });

  it('prefers anything to times', () => {
    const rows = [{ fit_time_s: 1, acc: 1 }, { fit_time_s: 1 }];
    expect(pickKeyMetrics(rows, 3)).toEqual(['acc', 'fit_time_s']);
  });

  it('prefers anything to what the machine did', () => {
    const rows = [{ 'system/cpu_percent': 90, loss: 1 }];
    expect(pickKeyMetrics(rows, 1)).toEqual(['loss']);
  });

  it('has nothing to pick where nothing was logged', () => {
    expect(pickKeyMetrics([], 3)).toEqual([]);
  });
});
