import type { PromotionView } from '@muster/api';
import { describe, expect, it } from 'vitest';
import { webAddress } from './link.ts';
import { askingWords, changeSays, changeStanding, promotionStanding } from './promotion-state.ts';
import { asks, change, environment } from './sample.fixture.ts';
import { type PromotionMay, changeVerbs, promotionText, promotionVerbs } from './verbs.ts';

const may: PromotionMay = { operate: true, approve: true, administer: true, name: 'ada', project: 'shop' };
const nobody: PromotionMay = { ...may, operate: false, approve: false, administer: false };
const staging = environment({ name: 'staging' });

it('those that have somebody to ask are counted in words', () => {
  expect([1, 2].map((count) => `${count} ${askingWords(count)}`)).toEqual([
    '1 waits for an approval',
    '2 wait for an approval',
  ]);
});

describe('what is seen first of a promotion', () => {
  const word = (...environments: ReturnType<typeof environment>[]) =>
    promotionStanding({ environments: [staging, ...environments] }).word;

  it('is what failed, then what somebody decides on, then what goes on', () => {
    const failed = environment({ current: change({ state: 'failed', why: 'no permission' }) });
    const asked = environment({ current: change({ asks: asks() }) });
    const open = environment({ current: change({ state: 'open' }) });
    expect(word(open, asked, failed)).toBe('failed');
    expect(word(open, asked)).toBe('waits for an approval');
    expect(word(open)).toBe('pull request is open');
    expect(word(environment({ last: change({ state: 'rejected', why: 'by ada' }) }))).toBe('rejected');
    expect(word(environment({ last: change({ state: 'done' }) }))).toBe('at rest');
  });

  it('is that it is paused, unless something failed', () => {
    const paused = { actor: 'ada', reason: 'holidays', at: '2026-01-01T00:00:00Z' };
    expect(promotionStanding({ paused, environments: [staging] })).toMatchObject({
      word: 'paused',
      says: 'by ada: holidays',
    });
    const failed = environment({ current: change({ state: 'conflict' }) });
    expect(promotionStanding({ paused, environments: [failed] }).word).toBe('conflicts');
  });

  it('is where an environment did not pass, and why', () => {
    const standing = 'release 3 was healthy on 0 of 1 targets so far';
    expect(
      promotionStanding({ environments: [environment({ name: 'dev', passed: false, standing })] }),
    ).toMatchObject({
      word: 'not yet',
      says: `dev: ${standing}`,
    });
  });

  it('says what a change waits for, or how it ended', () => {
    expect(changeSays(change({ why: 'the soak of dev' }))).toBe('Waits for the soak of dev');
    expect(changeSays(change({ why: '' }))).toBe('Waits for its turn');
    expect(changeSays(change({ state: 'done', why: 'prod has it already' }))).toBe('prod has it already');
    expect(changeStanding(change({ asks: asks({ count: 0 }) })).word).toBe('waits');
  });
});

describe('what can be asked', () => {
  const verbs = (more: object, who = may) =>
    changeVerbs(environment(more), who).map(({ ask, refused }) => [ask.verb, refused]);

  it('is to approve, reject and try again, where each makes sense', () => {
    expect(verbs({ current: change({ asks: asks() }) })).toEqual([
      ['approve', undefined],
      ['reject', undefined],
    ]);
    expect(verbs({ current: change() })).toEqual([['reject', undefined]]);
    expect(verbs({ current: change({ state: 'conflict' }) })).toEqual([
      ['reject', undefined],
      ['retry', undefined],
    ]);
    expect(verbs({ current: change({ state: 'open' }) })).toEqual([['retry', undefined]]);
    expect(verbs({ last: change({ state: 'rejected' }) })).toEqual([['retry', undefined]]);
    expect(verbs({ last: change({ state: 'done' }) })).toEqual([]);
  });

  it('needs a role, a group, and another person than the last time', () => {
    const current = change({ asks: asks({ yours: false, groups: ['owners'] }) });
    expect(verbs({ current })[0]).toEqual(['approve', 'Only owners may approve it.']);
    expect(verbs({ current }, nobody)[0]).toEqual([
      'approve',
      'This needs the role approver of the project shop.',
    ]);
    const approvals = [{ actor: 'ada', reason: '', at: '2026-01-01T00:00:00Z' }];
    expect(verbs({ current: { ...current, approvals } })[0]![1]).toMatch(/already: it takes another person/);
    expect(promotionVerbs({}, nobody).map(({ refused }) => refused)).toEqual([
      'This needs the role operator of the project shop.',
      'This needs the role admin of all projects.',
    ]);
  });

  it('says beforehand what will happen and what would be lost', () => {
    const removes = { count: 2, names: ['ConfigMap shop/a', 'ConfigMap shop/b'] };
    const found = {
      name: 'web',
      environments: [environment({ current: change({ asks: asks(), removes }) })],
    };
    const { says, needsReason } = promotionText(found as unknown as PromotionView, {
      verb: 'approve',
      environment: 'prod',
    });
    expect(says[0]).toContain('Yours is the last that is needed');
    expect(says[1]).toBe('prod loses 2 objects: ConfigMap shop/a, ConfigMap shop/b.');
    expect(needsReason).toBe(false);
    expect(
      promotionText(found as unknown as PromotionView, { verb: 'reject', environment: 'prod' }).needsReason,
    ).toBe(true);
  });
});

it('an address of a Git host leads there only by http and https', () => {
  expect(webAddress('https://git.example.com/a/pulls/1')).toBe('https://git.example.com/a/pulls/1');
  expect(webAddress('javascript:alert(1)')).toBeUndefined();
});
