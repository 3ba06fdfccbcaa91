import { existsSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { GroupKind, KubeObject } from '../object.ts';
import { parseApiVersion } from '../object.ts';
import { planSync, type SyncTask } from './order.ts';

interface SyncCase {
  id: string;
  namespace: string;
  revision?: string;
  startedAt?: number;
  options?: Record<string, unknown>;
  apis?: { group?: string; kind: string }[];
  targets?: KubeObject[];
  live?: KubeObject[];
  untracked?: KubeObject[];
  expected: { tasks: Record<string, unknown>[]; taskOrderHasTies?: boolean };
}

const casesFile = new URL('../../../../../shared/conformance/sync/cases.jsonl', import.meta.url);
const cases: SyncCase[] = existsSync(casesFile)
  ? readFileSync(casesFile, 'utf8')
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line))
  : [];

const isBuiltIn = ({ group }: GroupKind) => !group.includes('.') || group.endsWith('.k8s.io');

function planOf(syncCase: SyncCase): SyncTask[] {
  const { options = {}, namespace, live = [], untracked = [], apis = [] } = syncCase;
  const exists = [...live, ...untracked].some((o) => o.kind === 'Namespace' && o.metadata.name === namespace);
  return planSync(syncCase.targets ?? [], live, {
    namespace,
    revision: syncCase.revision,
    startedAt: syncCase.startedAt,
    isKnown: (type) =>
      isBuiltIn(type) || apis.some((api) => (api.group ?? '') === type.group && api.kind === type.kind),
    createNamespace: Boolean(options.createNamespace) && !exists,
    pruneLast: Boolean(options.pruneLast),
    skipHooks: Boolean(options.skipHooks),
    skipDryRunOnMissingResource: Boolean(options.skipDryRunOnMissingResource),
  });
}

/** The task as the reference's cases write it: what is empty or false is left out. */
function written(task: SyncTask): Record<string, unknown> {
  const object = (task.target ?? task.live)!;
  const all = {
    phase: task.phase,
    wave: task.wave,
    group: parseApiVersion(object.apiVersion).group,
    kind: object.kind,
    namespace: object.metadata.namespace,
    name: object.metadata.name,
    action: task.action,
    hook: task.hook,
    liveExists: task.live !== undefined,
    skipDryRun: task.skipDryRun,
  };
  return Object.fromEntries(Object.entries(all).filter(([key, value]) => key === 'wave' || Boolean(value)));
}

describe.skipIf(cases.length === 0)('plans of the reference', () => {
  it.each(cases.map((syncCase) => [syncCase.id, syncCase] as const))('%s', (_id, syncCase) => {
    expect(planOf(syncCase).map(written)).toEqual(syncCase.expected.tasks);
  });
});

describe('planSync', () => {
  const kinds = [
    ['v1', 'Namespace'],
    ['v1', 'ConfigMap'],
    ['apps/v1', 'Deployment'],
    ['acme.io/v1', 'Widget'],
  ] as const;
  const object = fc
    .record({
      type: fc.constantFrom(...kinds),
      name: fc.constantFrom('a', 'b', 'c'),
      namespace: fc.option(fc.constantFrom('a', 'b'), { nil: undefined }),
      wave: fc.option(fc.integer({ min: -3, max: 3 }), { nil: undefined }),
      hook: fc.option(fc.constantFrom('PreSync', 'PostSync', 'Skip', 'nonsense'), { nil: undefined }),
    })
    .map(({ type: [apiVersion, kind], name, namespace, wave, hook }): KubeObject => {
      const annotations: Record<string, string> = {};
      if (wave !== undefined) annotations['argocd.argoproj.io/sync-wave'] = String(wave);
      if (hook !== undefined) annotations['argocd.argoproj.io/hook'] = hook;
      const metadata: KubeObject['metadata'] = { name, annotations };
      if (namespace && kind !== 'Namespace') metadata.namespace = namespace;
      return { apiVersion, kind, metadata };
    });
  const objects = fc.uniqueArray(object, {
    maxLength: 12,
    selector: (o) => `${o.kind}/${o.metadata.namespace}/${o.metadata.name}`,
  });

  it('depends on the set of objects, not on their order', () => {
    fc.assert(
      fc.property(objects, objects, fc.infiniteStream(fc.nat()), (targets, live, random) => {
        const shuffle = <T>(items: T[]): T[] =>
          items
            .map((item) => [random.next().value as number, item] as const)
            .sort((a, b) => a[0] - b[0])
            .map(([, item]) => item);
        const options = { namespace: 'z' };
        expect(planSync(shuffle(targets), shuffle(live), options).map(written)).toEqual(
          planSync(targets, live, options).map(written),
        );
      }),
      { numRuns: 1000 },
    );
  });

  it('never goes back in phase or wave, and has each Namespace before what is in it', () => {
    fc.assert(
      fc.property(objects, (targets) => {
        const tasks = planSync(targets, [], { namespace: 'z' });
        const order: Record<string, number> = { PreSync: 0, Sync: 1, PostSync: 2, SyncFail: 3 };
        for (const [index, task] of tasks.entries()) {
          const before = tasks[index - 1];
          if (before) {
            expect(order[before.phase]! * 100 + before.wave).toBeLessThanOrEqual(
              order[task.phase]! * 100 + task.wave,
            );
          }
          if (task.target!.kind !== 'Namespace') continue;
          const user = tasks.findIndex(
            (other) =>
              other.target!.kind !== 'Namespace' &&
              other.target!.metadata.namespace === task.target!.metadata.name,
          );
          if (user >= 0) expect(user).toBeGreaterThan(index);
        }
      }),
    );
  });

  it('marks a type that nothing brings', () => {
    const widget = { apiVersion: 'acme.io/v1', kind: 'Widget', metadata: { name: 'w' } };
    const [task] = planSync([widget], [], { namespace: 'z', isKnown: isBuiltIn });
    expect(task).toMatchObject({ unknownType: true, skipDryRun: false });
  });
});
