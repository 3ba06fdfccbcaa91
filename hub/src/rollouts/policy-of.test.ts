import { expect, it } from 'vitest';
import { policyOf } from './policy-of.ts';

const stored = (name: string, spec: Record<string, unknown>) => ({
  name,
  manifest: { apiVersion: 'muster.dev/v1alpha1', kind: 'RolloutPolicy', metadata: { name }, spec },
});
const good = stored('good', { stages: [{ name: 'all' }] });
const selecting = stored('selecting', {
  applicationSets: { matchLabels: { team: 'shop' } },
  stages: [{ name: 'all' }],
});
const broken = stored('broken', { stages: [] });
const mayBe = stored('may-be', { applicationSets: { matchLabels: { team: 'shop' } }, stages: [] });
const owner = (annotations: Record<string, string> = {}, labels: Record<string, string> = {}) => ({
  annotations,
  labels,
});
const named = (name: string) => owner({ 'muster.dev/rollout-policy': name });

it('labels select sets only; an Application names its policy', () => {
  const shop = owner({}, { team: 'shop' });
  expect(policyOf('set', shop, [good, selecting])).toMatchObject({ policy: { name: 'selecting' } });
  expect(policyOf('application', shop, [good, selecting])).toEqual({ kind: 'none' });
  expect(policyOf('application', named('good'), [good])).toMatchObject({ policy: { name: 'good' } });
});

it('a stored policy that cannot be read holds back what names it, and sets that it might select', () => {
  expect(policyOf('set', named('broken'), [good, broken]).kind).toBe('problem');
  expect(policyOf('set', owner(), [good, broken])).toEqual({ kind: 'none' });
  expect(policyOf('set', named('good'), [good, broken, mayBe])).toMatchObject({ policy: { name: 'good' } });
  expect(policyOf('set', owner(), [good, mayBe]).kind).toBe('problem');
  expect(policyOf('application', owner(), [good, mayBe])).toEqual({ kind: 'none' });
});

it('a name that nothing has, and a strategy that makes no sense, are problems', () => {
  expect(policyOf('set', named('none'), [good])).toMatchObject({ kind: 'problem' });
  const strategy = { type: 'RollingSync', rollingSync: { steps: [] } };
  expect(policyOf('set', { ...owner(), strategy }, [good])).toMatchObject({ kind: 'problem' });
});
