import { expect, it } from 'vitest';
import { type RevisionFacts, revisionState } from './application-revision.ts';

const ASKED = '1234567890';
const facts = (more: Partial<RevisionFacts>): RevisionFacts => ({
  follows: 'main',
  assigned: 'aaaaaaaaaa',
  latest: 'bbbbbbbbbb',
  unchanged: false,
  known: true,
  inAssigned: false,
  inLatest: false,
  ...more,
});
const state = (more: Partial<RevisionFacts>, obstacle?: Parameters<typeof revisionState>[2]) => {
  const { reached, how, message } = revisionState(ASKED, [facts(more)], obstacle);
  return [reached, how, message];
};

it('is at the commit, or at one that came after it', () => {
  expect(state({ assigned: '1234567890abcdef' })).toEqual([true, 'assigned', 'at 1234567']);
  expect(state({ inAssigned: true })).toEqual([true, 'contained', 'at aaaaaaa, which is beyond 1234567']);
});

it('is at a commit that changes nothing of it, and stays so when others follow', () => {
  expect(state({ inLatest: true, unchanged: true, latest: ASKED })).toEqual([
    true,
    'unchanged',
    'at aaaaaaa: 1234567 changes nothing here',
  ]);
  expect(state({ inLatest: true, unchanged: true })).toEqual([
    true,
    'unchanged',
    'at aaaaaaa: 1234567, seen up to bbbbbbb, changes nothing here',
  ]);
});

it('says what a commit waits for that was seen and is not assigned', () => {
  expect(state({ inLatest: true })).toEqual([false, 'coming', 'at aaaaaaa; 1234567 is being rendered']);
  expect(state({ inLatest: true }, { how: 'held', reason: 'stage 2 waits' })).toEqual([
    false,
    'held',
    'at aaaaaaa; 1234567 is not assigned: stage 2 waits',
  ]);
  expect(state({ inLatest: true, assigned: undefined, unchanged: true })[2]).toBe(
    'at no revision; 1234567 is being rendered',
  );
});

it('tells a commit that nobody pushed from one of another branch', () => {
  expect(state({})).toEqual([false, 'elsewhere', 'at aaaaaaa; 1234567 is not part of main']);
  expect(state({ known: false })[1]).toBe('unseen');
});

it('goes by any of several sources', () => {
  const { reached, at } = revisionState(ASKED, [facts({}), facts({ assigned: ASKED })], undefined);
  expect([reached, at]).toEqual([true, ASKED]);
});
