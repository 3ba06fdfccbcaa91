import { expect, it } from 'vitest';
import { type JobPlace, planJobs } from './job-runs.ts';

const place = (target: string, more: Partial<JobPlace> = {}): JobPlace => ({
  target,
  place: `cluster-${target}`,
  run: undefined,
  problem: undefined,
  absent: undefined,
  outcome: null,
  message: '',
  ...more,
});
const run = { command: 'c', job: 'j', tries: 0 };
const ended = (job: string, detail = '') => ({
  run,
  outcome: 'succeeded' as const,
  message: JSON.stringify({ job, detail }),
});

it('a Job is begun in each place, and waited for', () => {
  expect(planJobs([place('a'), place('b', { run })])).toEqual({
    begin: ['a'],
    resume: [],
    judgement: undefined,
  });
});

it('all have to succeed; one that fails is enough, whatever the others do', () => {
  expect(planJobs([place('a', ended('succeeded')), place('b', ended('succeeded'))]).judgement?.verdict).toBe(
    'ok',
  );
  expect(planJobs([place('a', ended('succeeded')), place('b', { run })]).judgement).toBeUndefined();
  expect(planJobs([place('a', ended('failed', 'exit code 1')), place('b', { run }), place('c')])).toEqual({
    begin: [],
    resume: [],
    judgement: { verdict: 'bad', detail: 'cluster-a: exit code 1' },
  });
});

it('what was cut off is looked for, and never made again; what never arrived is begun', () => {
  expect(planJobs([place('a', { run, outcome: 'unknown' })])).toMatchObject({ begin: [], resume: ['a'] });
  expect(
    planJobs([place('a', { run: { ...run, tries: 2 }, outcome: 'unknown', message: 'forbidden' })]),
  ).toEqual({
    begin: [],
    resume: ['a'],
    judgement: { verdict: 'unknown', detail: 'cluster-a: forbidden' },
  });
  expect(planJobs([place('a', { run, outcome: 'expired' })])).toMatchObject({ begin: ['a'], resume: [] });
  expect(planJobs([place('a', ended('lost'))])).toEqual({
    begin: [],
    resume: [],
    judgement: { verdict: 'unknown', detail: 'cluster-a: nobody can say how the Job ended' },
  });
});

it('what is refused or silent is not known, and tried anew', () => {
  expect(planJobs([place('a', { run, outcome: 'refused', message: 'not here' })])).toEqual({
    begin: ['a'],
    resume: [],
    judgement: { verdict: 'unknown', detail: 'cluster-a: not here' },
  });
  expect(planJobs([place('a', { problem: 'its agent is silent' })])).toEqual({
    begin: [],
    resume: [],
    judgement: { verdict: 'unknown', detail: 'cluster-a: its agent is silent' },
  });
  for (const message of ['', '{', 'null', '[]', '{"job":1}'])
    expect(planJobs([place('a', { run, outcome: 'succeeded', message })]).judgement?.verdict).toBe('unknown');
});

it('where the Application is not deployed yet nothing is begun: that is said at once, or counts as good', () => {
  const unknown = planJobs([place('a', { absent: 'unknown' }), place('b', ended('succeeded'))]);
  expect([unknown.begin, unknown.judgement?.verdict]).toEqual([[], 'unknown']);
  expect(unknown.judgement!.detail).toContain(
    'cluster-a: the Application is not deployed there yet, so no Job can run',
  );
  const fine = planJobs([place('a', { absent: 'ok' }), place('b', ended('succeeded'))]);
  expect([fine.begin, fine.judgement?.verdict]).toEqual([[], 'ok']);
  expect(planJobs([place('a', { absent: 'ok' }), place('b', { run })]).judgement).toBeUndefined();
});
