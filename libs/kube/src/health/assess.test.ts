import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { KubeObject } from '../object.ts';
import { assessHealth } from './assess.ts';

interface HealthCase {
  id: string;
  group: string;
  kind: string;
  object: KubeObject;
  expected: { status: string; message?: string } | null;
  source: string;
  matchMessage?: string;
}

const casesFile = new URL('../../../../../shared/conformance/health/cases.jsonl', import.meta.url);
const cases: HealthCase[] = existsSync(casesFile)
  ? readFileSync(casesFile, 'utf8')
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line))
  : [];

const statusOf = (healthCase: HealthCase) => assessHealth(healthCase.object)?.status ?? null;
const isCode = ({ source, group }: HealthCase) =>
  source === 'upstream-builtin' && group !== 'serving.knative.dev';

describe.skipIf(cases.length === 0)('built-in kinds, as the reference judges them', () => {
  it.each(cases.filter(isCode).map((healthCase) => [healthCase.id, healthCase] as const))(
    '%s',
    (_id, healthCase) => {
      const { expected } = healthCase;
      const health = assessHealth(healthCase.object);
      if (expected === null) expect(health).toBeNull();
      else expect(health).toEqual({ status: expected.status, message: expected.message ?? '' });
    },
  );
});

describe.skipIf(cases.length === 0)('custom resources, as the reference judges them', () => {
  it('agrees on the status of every case', () => {
    const wrong = cases
      .filter((healthCase) => statusOf(healthCase) !== (healthCase.expected?.status ?? null))
      .map(
        (healthCase) =>
          `${healthCase.id}: ${JSON.stringify(assessHealth(healthCase.object))}, not ${JSON.stringify(healthCase.expected)}`,
      );
    expect(wrong).toEqual([]);
  });

  it('gives the same message in nearly all of them', () => {
    const same = cases.filter((c) => (assessHealth(c.object)?.message ?? '') === (c.expected?.message ?? ''));
    expect(same.length / cases.length).toBeGreaterThan(0.95);
  });
});

describe('assessHealth', () => {
  it('calls any object on its way out Progressing, unless a hook waits for its phase', () => {
    const metadata = { name: 'a', deletionTimestamp: '2026-01-01T00:00:00Z' };
    const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata };
    expect(assessHealth(object)).toEqual({ status: 'Progressing', message: 'Pending deletion' });
    const held = { ...object, metadata: { ...metadata, finalizers: ['argocd.argoproj.io/hook-finalizer'] } };
    expect(assessHealth(held)).toBeNull();
  });

  it('knows only the served version of a kind', () => {
    const object = { apiVersion: 'apps/v1beta2', kind: 'Deployment', metadata: { name: 'a' } };
    expect(assessHealth(object)).toEqual({
      status: 'Unknown',
      message: 'unsupported Deployment GVK: apps/v1beta2, Kind=Deployment',
    });
  });

  it('is Unknown where a field has the wrong type', () => {
    const object = {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'a' },
      spec: { replicas: 'two' },
    };
    expect(assessHealth(object)?.status).toBe('Unknown');
  });

  it('has no opinion on kinds without a check', () => {
    expect(assessHealth({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' } })).toBeNull();
  });
});
