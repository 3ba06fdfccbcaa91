import { expect, it } from 'vitest';
import type { KubeObject } from '../object.ts';
import { planSync } from './order.ts';
import { describeProgress } from './progress.ts';
import { taskId, type TaskProgress } from './steps.ts';

const object = (kind: string, name: string, annotations: Record<string, string> = {}): KubeObject => ({
  apiVersion: 'v1',
  kind,
  metadata: { name, namespace: 'shop', annotations },
});
const hook = (name: string, phase: string) => object('Pod', name, { 'argocd.argoproj.io/hook': phase });
const live = () => ({ deleting: false, health: { status: 'Progressing' as const, message: 'is starting' } });

it('names nothing before the first task has begun', () => {
  const tasks = planSync([hook('before', 'PreSync'), object('Service', 'web')], [], { namespace: 'shop' });
  expect(describeProgress(tasks, new Map(), live)).toEqual({ at: undefined, waitsFor: [], hooks: [] });
});

it('names the phase and wave, what is waited for and how it is, and the hooks that have begun', () => {
  const wave = { 'argocd.argoproj.io/sync-wave': '2' };
  const gone = object('Secret', 'old', wave);
  const targets = [hook('before', 'PreSync'), object('Service', 'web', wave), hook('after', 'PostSync')];
  const tasks = planSync(targets, [gone], { namespace: 'shop' });
  const states: Record<string, TaskProgress> = {
    before: { phase: 'Succeeded', message: 'done' },
    web: { phase: 'Running', message: '' },
    old: { phase: 'Running', message: '' },
  };
  const progress = new Map(
    tasks.flatMap((task) => {
      const state = states[(task.target ?? task.live)!.metadata.name!];
      return state ? [[taskId(task), state] as const] : [];
    }),
  );
  const named = { group: '', namespace: 'shop' };
  expect(describeProgress(tasks, progress, live)).toEqual({
    at: { step: 'Sync', wave: tasks.findLast((task) => progress.has(taskId(task)))!.wave },
    waitsFor: expect.arrayContaining([
      { ...named, kind: 'Secret', name: 'old', health: '', message: 'is being deleted' },
      { ...named, kind: 'Service', name: 'web', health: 'Progressing', message: 'is starting' },
    ]),
    hooks: [{ ...named, kind: 'Pod', name: 'before', step: 'PreSync', status: 'Succeeded', message: 'done' }],
  });
});
