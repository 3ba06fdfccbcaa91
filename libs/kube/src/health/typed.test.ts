import { describe, expect, it } from 'vitest';
import type { KubeObject } from '../object.ts';
import { assessHealth } from './assess.ts';
import { isTime } from './typed.ts';

const claim = (more: Record<string, unknown> = {}, metadata: Record<string, unknown> = {}): KubeObject => ({
  apiVersion: 'v1',
  kind: 'PersistentVolumeClaim',
  metadata: { name: 'data', ...metadata },
  status: { phase: 'Bound' },
  ...more,
});
const statusOf = (object: KubeObject) => assessHealth(object)?.status;

describe('what the reference reads into types', () => {
  it('makes an object Unknown whose time does not parse, wherever it stands', () => {
    const conditions = (lastTransitionTime: unknown) => [
      { type: 'Resizing', status: 'True', lastTransitionTime },
    ];
    const at = (time: unknown) => claim({ status: { phase: 'Bound', conditions: conditions(time) } });
    expect(statusOf(at('2026-01-31T12:00:00Z'))).toBe('Healthy');
    expect(statusOf(at(null))).toBe('Healthy');
    for (const time of ['', 'yesterday', '2026-02-30T12:00:00Z', 1])
      expect(statusOf(at(time))).toBe('Unknown');
    expect(assessHealth(at('yesterday'))?.message).toContain('"yesterday" is not a time');
    expect(statusOf(claim({}, { managedFields: [{ time: 'x' }] }))).toBe('Unknown');
  });

  it('makes an object Unknown whose quantity does not parse', () => {
    const asks = (storage: unknown) => claim({ spec: { resources: { requests: { storage } } } });
    for (const storage of ['1Gi', '500m', '1e3', 5, '+.5']) expect(statusOf(asks(storage))).toBe('Healthy');
    for (const storage of ['', '1 Gi', '1gb', true]) expect(statusOf(asks(storage))).toBe('Unknown');
  });

  it('does not take for a deletion what is no time', () => {
    expect(statusOf(claim({}, { deletionTimestamp: '2026-01-31T12:00:00Z' }))).toBe('Progressing');
    const settings = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'a', deletionTimestamp: 'soon' },
    };
    expect(assessHealth(settings)).toBeNull();
  });

  it('knows the times that Go reads', () => {
    for (const time of [
      '2026-01-31T12:00:00Z',
      '2026-01-31T12:00:00.123456789+02:00',
      '2024-02-29T00:00:00-11:30',
    ])
      expect(isTime(time)).toBe(true);
    for (const time of ['2026-01-31', '2026-13-01T00:00:00Z', '2023-02-29T00:00:00Z', '2026-01-31T24:00:00Z'])
      expect(isTime(time)).toBe(false);
  });
});
