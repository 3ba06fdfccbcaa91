import { expect, it } from 'vitest';
import { behaviourOf, chance } from './behaviour.ts';

const trials = Array.from({ length: 4_000 }, (_, i) => ({
  cluster: `c-${i % 50}`,
  application: `argocd/web-${Math.floor(i / 50)}`,
  digest: 'd',
}));

it('gives the same conduct for the same seed, whatever was asked before', () => {
  const odds = { degraded: 0.2, silent: 0.2 };
  const [one, other] = [behaviourOf(7, odds), behaviourOf(7, odds)];
  const backwards = new Map([...trials].reverse().map((trial) => [trial, other(trial)]));
  expect(trials.map((trial) => backwards.get(trial))).toEqual(trials.map(one));
  expect(trials.map(behaviourOf(8, odds))).not.toEqual(trials.map(one));
});

it('does each thing about as often as its odds say', () => {
  const behaviour = behaviourOf(1, { degraded: 0.1, stuck: 0.2, silent: 0.3, flapping: 0.05 });
  const counts = Map.groupBy(trials, (trial) => behaviour(trial).outcome);
  const part = (outcome: 'healthy' | 'degraded' | 'stuck' | 'silent' | 'flapping') =>
    counts.get(outcome)!.length / trials.length;
  expect(part('degraded')).toBeCloseTo(0.1, 1);
  expect(part('stuck')).toBeCloseTo(0.2, 1);
  expect(part('silent')).toBeCloseTo(0.3, 1);
  expect(part('healthy')).toBeCloseTo(0.35, 1);
});

it('draws from the whole range', () => {
  const drawn = trials.map((trial, i) => chance(3, trial.cluster, i));
  expect(Math.min(...drawn)).toBeLessThan(0.01);
  expect(Math.max(...drawn)).toBeGreaterThan(0.99);
  expect(drawn.reduce((sum, each) => sum + each) / drawn.length).toBeCloseTo(0.5, 1);
});
