import type { ObjectChange } from '@muster/kube';
import { describe, expect, it } from 'vitest';
import { PlanReport } from './plan-report.ts';
import { PlanSlots } from './plan-slots.ts';
import { relabelled } from './supposition.ts';

describe('PlanSlots', () => {
  it('lets so many run at once, the others in their order, and none that left the line', async () => {
    const slots = new PlanSlots(1);
    const heard: string[] = [];
    const gates = new Map<string, () => void>();
    const impatient = new AbortController();
    const run = (name: string, signal = new AbortController().signal) =>
      slots.run(
        async () => {
          heard.push(`${name} runs`);
          await new Promise<void>((resolve) => gates.set(name, resolve));
        },
        (before) => heard.push(`${name} waits for ${before}`),
        signal,
      );
    const first = run('a');
    await expect.poll(() => heard).toEqual(['a runs']);
    const second = run('b', impatient.signal);
    const third = run('c');
    expect(heard).toEqual(['a runs', 'b waits for 1', 'c waits for 2']);
    impatient.abort(new Error('gone'));
    await expect(second).rejects.toThrow('gone');
    gates.get('a')!();
    await first;
    await expect.poll(() => gates.has('c')).toBe(true);
    gates.get('c')!();
    await third;
    expect(heard.slice(3)).toEqual(['c runs']);
    const last = run('d');
    await expect.poll(() => heard.at(-1)).toBe('d runs');
    gates.get('d')!();
    await last;
  });

  it('refuses a line that is too long, and whoever has gone already', async () => {
    const slots = new PlanSlots(1);
    const over = new AbortController();
    const waiting = Array.from({ length: 51 }, () =>
      slots.run(
        () => new Promise<void>((resolve) => over.signal.addEventListener('abort', () => resolve())),
        () => {},
        over.signal,
      ),
    );
    await expect(
      slots.run(
        () => Promise.resolve(),
        () => {},
        new AbortController().signal,
      ),
    ).rejects.toThrow('too many plans');
    over.abort(new Error('over'));
    const ended = await Promise.allSettled(waiting);
    expect(ended.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    await expect(
      slots.run(
        () => Promise.resolve(),
        () => {},
        over.signal,
      ),
    ).rejects.toThrow('over');
  });
});

const application = (n: number) => ({
  namespace: 'argocd',
  name: `a${n}`,
  project: 'default',
  cluster: `c${n % 7}`,
});
const change = (text: string): ObjectChange => ({
  action: 'changed',
  apiVersion: 'v1',
  kind: 'ConfigMap',
  namespace: '',
  name: 'x',
  text,
  added: text.split('\n').length,
  removed: 0,
});

describe('PlanReport', () => {
  it('counts what it leaves out: members, groups, lines and texts', () => {
    const report = new PlanReport();
    for (let i = 0; i < 30; i++)
      report.change({
        application: application(i),
        change: 'changed',
        specification: undefined,
        objects: [change('+same')],
        names: [],
      });
    report.change({
      application: application(31),
      change: 'changed',
      specification: undefined,
      objects: [change(`+${'x\n+'.repeat(2500)}`)],
      names: [],
    });
    report.change({
      application: application(32),
      change: 'added',
      specification: undefined,
      objects: [change('+other')],
      names: [],
    });
    const found = report.result({ members: 10, groups: 2 });
    expect(found.summary).toMatchObject({ added: 1, changed: 31, clusters: 7 });
    expect(found.groups[0]).toMatchObject({ applications: 30, clusters: 7, more: 20 });
    expect(found.groups[1]!.objects[0]!.moreLines).toBe(501);
    expect(found.moreGroups).toBe(1);
  });

  it('joins the same problem of many Applications, puts new errors first and does not count old ones', () => {
    const report = new PlanReport();
    const problem = (n: number, message: string, already: boolean, severity: 'error' | 'warning' = 'error') =>
      report.problem({
        object: `application/a${n}`,
        application: application(n),
        type: 'RenderError',
        message,
        severity,
        already,
      });
    problem(1, 'a notice', false, 'warning');
    problem(2, 'old', true);
    problem(3, 'new', false);
    problem(4, 'new', false);
    const found = report.result({ members: 1, groups: 1 });
    expect(found.errors.map(({ message, applications, more }) => [message, applications, more])).toEqual([
      ['new', 2, 1],
      ['old', 1, 0],
      ['a notice', 1, 0],
    ]);
    expect(found.summary.errors).toBe(1);
  });
});

describe('relabelled', () => {
  const cluster = (name: string, labels: Record<string, string>) => ({
    id: name,
    name,
    server: `muster://${name}`,
    labels,
    annotations: {},
    local: false,
    version: 1n,
  });

  it('sets and removes as kubectl does, and sees where nothing changes', () => {
    const clusters = [cluster('a', { env: 'dev', tier: '1' }), cluster('b', {})];
    const found = relabelled(clusters, [{ cluster: 'a', set: { env: 'prod' }, remove: ['tier', 'none'] }]);
    expect(found.changed).toBe(true);
    expect(found.clusters.map(({ labels }) => labels)).toEqual([{ env: 'prod' }, {}]);
    expect(clusters[0]!.labels).toEqual({ env: 'dev', tier: '1' });
    expect(relabelled(clusters, [{ cluster: 'a', set: { env: 'dev' }, remove: ['none'] }]).changed).toBe(
      false,
    );
  });
});
