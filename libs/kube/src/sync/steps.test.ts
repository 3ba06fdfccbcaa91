import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { assessHealth } from '../health/assess.ts';
import type { Health } from '../health/status.ts';
import { keyOf, keyString, type KubeObject } from '../object.ts';
import { planSync, type SyncTask } from './order.ts';
import { pruneDecision } from './prune.ts';
import { afterRun, type StepDecision, failRunning, nextStep, taskId, type TaskProgress } from './steps.ts';

interface Behaviour {
  health?: string[];
  applyError?: string;
  dryRunError?: string;
  pruneError?: string;
  deleteSteps?: number;
  vanishAfter?: number;
}
interface TraceStep {
  ops?: { op: string; kind: string; name: string }[];
  phase: string;
  message: string;
}
interface SyncCase {
  id: string;
  namespace: string;
  revision?: string;
  startedAt?: number;
  options?: Record<string, unknown>;
  targets?: KubeObject[];
  live?: KubeObject[];
  untracked?: KubeObject[];
  behaviour?: Record<string, Behaviour>;
  expected: { trace: TraceStep[]; phase: string };
}

const casesFile = new URL('../../../../../shared/conformance/sync/cases.jsonl', import.meta.url);
const cases: SyncCase[] = existsSync(casesFile)
  ? readFileSync(casesFile, 'utf8')
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line))
  : [];

/** Decided before an operation's first step, and written about in docs/sync-engine.md. */
const ELSEWHERE: Record<string, string> = {
  'sync/run-dry-run-error': 'the dry run comes before the first step',
  'sync/opt-create-namespace-fails': 'the namespace is made before the first step',
  'sync/opt-replace': 'how an object is written is decided by the one who writes it',
  'sync/opt-server-side-apply-annotation': 'how an object is written is decided by the one who writes it',
};

/** A cluster that behaves as a case says. */
class Scripted {
  readonly progress = new Map<string, TaskProgress>();
  readonly objects = new Map<string, { looks: number; deletes: number; object: KubeObject }>();
  ops: string[] = [];
  readonly tasks: SyncTask[];
  private readonly behaviour: Record<string, Behaviour>;

  constructor({ targets = [], live = [], untracked = [], namespace, options = {}, ...rest }: SyncCase) {
    this.behaviour = rest.behaviour ?? {};
    for (const object of [...live, ...untracked]) this.put(object);
    const exists = [...live, ...untracked].some(
      (o) => o.kind === 'Namespace' && o.metadata.name === namespace,
    );
    this.tasks = planSync(targets, live, {
      namespace,
      revision: rest.revision,
      startedAt: rest.startedAt,
      pruneLast: Boolean(options.pruneLast),
      skipHooks: Boolean(options.skipHooks),
      createNamespace: Boolean(options.createNamespace) && !exists,
    }).filter(
      ({ action, live: object }) =>
        action === 'apply' ||
        pruneDecision(object!, {
          prune: Boolean(options.prune),
          defaultPrune: options.defaultPrune as string | undefined,
        }).action === 'remove',
    );
  }

  put(object: KubeObject) {
    this.objects.set(keyString(keyOf(object)), { looks: 0, deletes: 0, object });
  }

  readonly live = (task: SyncTask) => {
    const found = this.objects.get(keyString(keyOf((task.target ?? task.live)!)));
    if (!found) return undefined;
    return { deleting: found.deletes > 0, health: this.health(task, found) };
  };

  private of(task: SyncTask): Behaviour {
    const { kind, metadata } = (task.target ?? task.live)!;
    return this.behaviour[`${kind}/${metadata.name}`] ?? {};
  }

  private health(task: SyncTask, { looks, object }: { looks: number; object: KubeObject }): Health {
    const { health } = this.of(task);
    if (health) return { status: health[Math.min(looks, health.length) - 1] as 'Healthy', message: '' };
    const builtIn = assessHealth(object) !== null;
    return { status: builtIn ? 'Healthy' : '', message: '' };
  }

  /** One reconciliation of the reference: a step, and what follows from it at once. */
  reconcile() {
    this.ops = [];
    this.pass();
    const step = nextStep(this.tasks, this.progress, this.live);
    for (const [id, state] of step.progress) this.progress.set(id, state);
    this.note('remove-finalizer', step.release);
    let decision: StepDecision = step.decision;
    while (decision.do === 'run') {
      this.carryOut(decision);
      decision = afterRun(this.tasks, this.progress, decision, this.live);
    }
    if (decision.do === 'end') this.note('delete-hook', decision.remove);
    return { ...decision, phase: decision.do === 'end' ? decision.phase : 'Running' };
  }

  private pass() {
    for (const [key, found] of this.objects) {
      const [, kind, , name] = key.split('/') as [string, string, string, string];
      const { deleteSteps = 0, vanishAfter = Infinity } = this.behaviour[`${kind}/${name}`] ?? {};
      found.looks++;
      if (found.deletes > 0 && found.deletes++ > deleteSteps) this.objects.delete(key);
      if (found.looks > vanishAfter + 1) this.objects.delete(key);
    }
  }

  private carryOut(run: Extract<StepDecision, { do: 'run' }>) {
    this.note('prune', run.prune);
    for (const task of run.prune) {
      const { pruneError } = this.of(task);
      const failed = { phase: 'Failed', message: pruneError ?? '', refused: true } as const;
      this.progress.set(taskId(task), pruneError ? failed : { phase: 'Running', message: '' });
      if (!pruneError) this.delete(task);
    }
    if (run.prune.some((task) => this.of(task).pruneError)) return;
    this.note('delete-hook', run.remove);
    for (const task of run.remove) this.delete(task);
    for (const task of run.apply) {
      this.ops.push(`apply ${task.target!.kind}/${task.target!.metadata.name}`);
      const { applyError } = this.of(task);
      const failed = { phase: 'Failed', message: applyError ?? '', refused: true } as const;
      this.progress.set(taskId(task), applyError ? failed : { phase: 'Running', message: '' });
      if (!applyError) this.put(task.target!);
    }
  }

  private delete(task: SyncTask) {
    this.objects.get(keyString(keyOf((task.target ?? task.live)!)))!.deletes = 1;
  }

  private note(op: string, tasks: readonly SyncTask[]) {
    const names = tasks.map((task) => (task.target ?? task.live)!).map((o) => `${o.kind}/${o.metadata.name}`);
    this.ops.push(...names.sort().map((name) => `${op} ${name}`));
  }
}

describe.skipIf(cases.length === 0)('steps of the reference', () => {
  const same = cases.filter(({ id }) => !(id in ELSEWHERE));
  it.each(same.map((each) => [each.id, each] as const))('%s', (_id, each) => {
    const cluster = new Scripted(each);
    const seen = each.expected.trace.map(() => {
      const { phase, message } = cluster.reconcile();
      return { ops: cluster.ops, phase, message };
    });
    const expected = each.expected.trace.map(({ ops = [], phase, message }) => ({
      ops: ops.map(({ op, kind, name }) => `${op} ${kind}/${name}`),
      phase,
      message,
    }));
    expect(seen).toEqual(expected);
  });
});

const job = (name: string, hook: string, policy = ''): KubeObject => ({
  apiVersion: 'batch/v1',
  kind: 'Job',
  metadata: {
    name,
    annotations: {
      'argocd.argoproj.io/hook': hook,
      ...(policy && { 'argocd.argoproj.io/hook-delete-policy': policy }),
    },
  },
});

describe('an operation', () => {
  const plan = planSync([job('pre', 'PreSync'), job('alarm', 'SyncFail')], [], { namespace: 'demo' });

  it('fails what runs when its time is up, and runs the SyncFail hooks then', () => {
    const [pre, alarm] = plan as [SyncTask, SyncTask];
    const running = new Map([[taskId(pre), { phase: 'Running', message: '' } as const]]);
    const late = failRunning(plan, running, 'took longer than 1h');
    const { decision } = nextStep(plan, late, () => undefined);
    expect(decision).toMatchObject({ do: 'run', phase: 'SyncFail', apply: [alarm] });
    const ended = new Map([...late, [taskId(alarm), { phase: 'Succeeded', message: '' } as const]]);
    expect(nextStep(plan, ended, () => undefined).decision).toMatchObject({
      do: 'end',
      phase: 'Failed',
      message: expect.stringContaining('took longer than 1h'),
    });
  });

  it('goes on where it was: a hook that is noted as begun is not begun again', () => {
    const begun = new Map([[taskId(plan[0]!), { phase: 'Running', message: '' } as const]]);
    const live = () => ({ deleting: false, health: { status: 'Progressing', message: '' } as const });
    expect(nextStep(plan, begun, live).decision.do).toBe('wait');
  });
});
