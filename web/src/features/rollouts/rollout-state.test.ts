import { describe, expect, it } from 'vitest';
import { approval, stage } from './sample.fixture.ts';
import {
  badgeOf,
  gateWords,
  groupCounts,
  groupOf,
  groupWord,
  isUnderWay,
  phaseTone,
  releaseWords,
  stageWords,
  stepWord,
} from './rollout-state.ts';

const since = '2026-01-01T00:00:00Z';

describe('targets', () => {
  it('are counted by what somebody who looks wants to know', () => {
    const states = { done: 3, restored: 1, assigned: 1, healthy: 1, failed: 1, manual: 2, pinned: 1 };
    expect(groupCounts([{ states }])).toEqual({ failed: 1, moving: 2, waiting: 2, back: 1, done: 3, out: 1 });
  });

  it('of a state that is not known yet are worth a look', () =>
    expect(groupOf('teleporting')).toBe('moving'));
});

describe('a stage', () => {
  it('is told to who does not see its bar', () => {
    expect(stageWords(stage('rest', { states: { done: 2, failed: 1 } }))).toBe('rest: 1 failed, 2 done');
    expect(stageWords(stage('rest', { states: {}, step: 'passed', size: 1 }))).toBe('rest: passed, 1 target');
  });
});

describe('once a rollout goes back or has ended', () => {
  it('a stage says only how it ended, and targets that were not reached wait no more', () => {
    const rolling = { name: 'rest', step: 'rolling' } as const;
    expect(stepWord(rolling, { phase: 'running' })).toBe('rolling');
    expect(stepWord(rolling, { phase: 'rolled-back' })).toBe('');
    expect(stepWord(rolling, { phase: 'rolling-back', failedStage: 'rest' })).toBe('failed');
    expect(stepWord({ name: 'canary', step: 'passed' }, { phase: 'aborted' })).toBe('passed');
    expect(groupWord('waiting', false)).toBe('waiting');
    expect(groupWord('waiting', true)).toBe('not reached');
  });
});

describe('a phase', () => {
  it('that is paused asks for a look, and one that failed stays what it is', () => {
    expect(phaseTone({ phase: 'running', paused: false })).toBe('busy');
    expect(phaseTone({ phase: 'running', paused: true })).toBe('warn');
    expect(phaseTone({ phase: 'failed', paused: true })).toBe('bad');
  });
});

describe('a release', () => {
  it('is its commit and the first line of its message, else what the hub calls it', () => {
    const label = 'release 2 (labels)';
    expect(releaseWords({ id: '', label, commit: 'a'.repeat(40), message: 'Autumn sale\n\nMore' })).toBe(
      'aaaaaaa Autumn sale',
    );
    expect(releaseWords({ id: '', label })).toBe(label);
  });
});

describe('the badge of an Application', () => {
  it.each([
    [{ state: 'waiting' }, 'waits', 'idle'],
    [{ state: 'waiting', paused: true }, 'paused', 'warn'],
    [{ state: 'assigned' }, 'assigned', 'busy'],
    [{ state: 'healthy' }, 'soaking', 'busy'],
    [{ state: 'restoring' }, 'going back', 'warn'],
    [{ state: 'failed' }, 'failed', 'bad'],
    [{ state: 'held' }, 'held', 'warn'],
    [{ state: 'pinned' }, 'pinned', 'warn'],
  ])('of %j is %s', (rollout, word, tone) => {
    expect(badgeOf({ rollout: { since, ...rollout } })).toMatchObject({ word, tone });
  });

  it('says why', () => {
    expect(badgeOf({ rollout: { since, state: 'held', reason: 'release 2 was taken back' } })?.says).toBe(
      'Kept from its newest release: release 2 was taken back.',
    );
  });
});

describe('a pin', () => {
  it('comes before every rollout, and says who, why and at what', () => {
    const pinned = { by: 'ann', reason: 'audit', since, release: { id: 'r', number: 41, label: '' } };
    const badge = badgeOf({ pinned: pinned as never, rollout: { since, state: 'held' } });
    expect(badge).toMatchObject({ word: 'pinned' });
    expect(badge?.says).toMatch(/^Kept at release #41 by ann: audit\./);
    expect(badgeOf({})).toBeUndefined();
  });
});

describe('that an Application differs from its newest release', () => {
  it('is no news while its turn comes or it is on its way', () => {
    expect(isUnderWay({ since, state: 'waiting', phase: 'running' })).toBe(true);
    expect(isUnderWay({ since, state: 'assigned', phase: 'running' })).toBe(true);
    for (const other of [
      { state: 'waiting', phase: 'running', paused: true },
      { state: 'waiting', phase: 'failed' },
      { state: 'failed', phase: 'running' },
      { state: 'held' },
    ] as const)
      expect(isUnderWay({ since, ...other })).toBe(false);
    expect(isUnderWay(undefined)).toBe(false);
  });
});

it('an approval says how many are there', () => {
  expect(gateWords(approval())).toBe('0 of 2 approved');
  expect(gateWords(approval({ status: 'passed' }))).toBe('passed');
  expect(gateWords(approval({ status: 'pending' }))).toBe('not asked yet');
  expect(gateWords(approval({ status: 'pending', over: 'never-reached' }))).toBe('never reached');
  expect(gateWords(approval({ status: 'pending', over: 'undecided' }))).toBe('not decided');
  expect(gateWords(approval({ kind: 'http', unknownSince: '2026-01-01T00:00:00.000Z' }))).toBe(
    'not measurable',
  );
});
