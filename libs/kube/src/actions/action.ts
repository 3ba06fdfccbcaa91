import { MusterError } from '@muster/base';
import { type GroupKind, type KubeObject, groupKindString, keyOf } from '../object.ts';
import { part } from '../tree/object-facts.ts';
import { ROLLOUT_ACTIONS, planRolloutAction } from './rollout-action.ts';

/** What can be done to one object. */
export const OBJECT_ACTIONS = [
  'restart',
  'scale',
  'delete',
  'pause',
  'resume',
  'promote',
  'promote-full',
  'skip-step',
  'skip-all-steps',
  'abort',
  'retry',
  'suspend',
  'trigger',
] as const;
export type ObjectAction = (typeof OBJECT_ACTIONS)[number];

/** One request that carries an action out. In order; all of them merge patches, so saying them twice says no more. */
export interface ActionPatch {
  subresource?: 'scale' | 'status';
  body: Record<string, unknown>;
}

/** How an action is carried out, and what to tell of it. */
export type ActionPlan =
  | { kind: 'patch'; patches: ActionPatch[]; message: string }
  | { kind: 'delete'; propagation: 'Foreground' | 'Background' | 'Orphan' }
  | { kind: 'create'; object: KubeObject; message: string }
  | { kind: 'nothing'; message: string };

/** Which command it is carried out for, and when. */
export interface ActionStamp {
  operation: string;
  nowMs: number;
}

/** The operation that restarted something, beside kubectl's own annotation. */
export const RESTARTED_BY = 'muster.dev/restarted-by';
const RESTARTED_AT = 'kubectl.kubernetes.io/restartedAt';
export const MAX_REPLICAS = 100_000;

const BY_KIND: Record<string, ObjectAction[]> = {
  'apps/Deployment': ['restart', 'scale', 'pause', 'resume'],
  'apps/StatefulSet': ['restart', 'scale'],
  'apps/DaemonSet': ['restart'],
  'apps/ReplicaSet': ['scale'],
  ReplicationController: ['scale'],
  'argoproj.io/Rollout': ['restart', 'scale', ...ROLLOUT_ACTIONS],
  'batch/CronJob': ['suspend', 'resume', 'trigger'],
  'batch/Job': ['suspend', 'resume'],
};

/** Kinds whose removal may take data with it: it has to be said that this is meant. */
const WITH_DATA = new Set([
  'PersistentVolumeClaim',
  'PersistentVolume',
  'Namespace',
  'apiextensions.k8s.io/CustomResourceDefinition',
]);

/** What can be done to objects of a kind. Kinds that Muster does not know can be deleted, and scaled where they can. */
export function actionsOf(kind: GroupKind): ObjectAction[] {
  return [...(BY_KIND[groupKindString(kind)] ?? []), 'delete'];
}

/** Whether data may be lost with an object of this kind. */
export function losesData(kind: GroupKind): boolean {
  return WITH_DATA.has(groupKindString(kind));
}

/**
 * How an action on a live object is carried out. Pure.
 * @throws MusterError unsupported, invalid (a parameter), precondition (the object's state forbids it).
 */
export function planAction(
  action: string,
  object: KubeObject,
  parameters: Readonly<Record<string, string>>,
  stamp: ActionStamp,
): ActionPlan {
  const kind = groupKindString(keyOf(object));
  if (action === 'delete') return planDelete(object, parameters);
  if (action === 'scale') return planScale(parameters);
  const possible = actionsOf(keyOf(object));
  if (!possible.includes(action as ObjectAction)) {
    throw new MusterError('unsupported', `a ${object.kind} cannot be told to ${action}`, {
      hint: `it knows ${possible.join(', ')}`,
    });
  }
  if (kind === 'argoproj.io/Rollout') return planRolloutAction(action, object, stamp);
  switch (action) {
    case 'restart':
      return planRestart(object, stamp);
    case 'pause':
    case 'resume':
      if (kind === 'apps/Deployment') return toggled(object, 'paused', action === 'pause');
      return toggled(object, 'suspend', false);
    case 'suspend':
      return toggled(object, 'suspend', true);
    default:
      return planTrigger(object, stamp);
  }
}

function planRestart(object: KubeObject, { operation, nowMs }: ActionStamp): ActionPlan {
  if (object.kind === 'Deployment' && part(object, 'spec', 'paused') === true) {
    throw new MusterError('precondition', `the Deployment ${object.metadata.name} is paused`, {
      hint: 'resume it first',
    });
  }
  const annotations = { [RESTARTED_AT]: new Date(nowMs).toISOString(), [RESTARTED_BY]: operation };
  const body = { spec: { template: { metadata: { annotations } } } };
  return { kind: 'patch', patches: [{ body }], message: 'its Pods are made anew' };
}

function planScale({ replicas = '' }: Readonly<Record<string, string>>): ActionPlan {
  if (!/^\d{1,6}$/.test(replicas) || Number(replicas) > MAX_REPLICAS) {
    throw new MusterError('invalid', `"${replicas}" is no number of replicas (0 to ${MAX_REPLICAS})`, {
      where: 'replicas',
    });
  }
  const body = { spec: { replicas: Number(replicas) } };
  return { kind: 'patch', patches: [{ subresource: 'scale', body }], message: `scaled to ${replicas}` };
}

function planDelete(object: KubeObject, parameters: Readonly<Record<string, string>>): ActionPlan {
  if (losesData(keyOf(object)) && parameters.data !== 'true') {
    throw new MusterError(
      'precondition',
      `data may be lost with the ${object.kind} ${object.metadata.name}`,
      {
        hint: 'say that this is meant: `--data`, or the parameter data=true',
      },
    );
  }
  const propagation = parameters.propagation || 'Background';
  if (propagation !== 'Foreground' && propagation !== 'Background' && propagation !== 'Orphan') {
    throw new MusterError('invalid', `"${propagation}" is not Foreground, Background or Orphan`, {
      where: 'propagation',
    });
  }
  return { kind: 'delete', propagation };
}

function toggled(object: KubeObject, field: 'paused' | 'suspend', on: boolean): ActionPlan {
  const word = field === 'paused' ? 'paused' : 'suspended';
  if ((part(object, 'spec', field) === true) === on)
    return { kind: 'nothing', message: on ? `it is ${word} already` : `it is not ${word}` };
  return { kind: 'patch', patches: [{ body: { spec: { [field]: on } } }], message: on ? word : 'resumed' };
}

/** A Job from the template of a CronJob, as `kubectl create job --from`; its name holds the operation. */
function planTrigger(object: KubeObject, { operation }: ActionStamp): ActionPlan {
  const template = part(object, 'spec', 'jobTemplate') as {
    metadata?: Record<string, unknown>;
    spec?: unknown;
  };
  const { name = '', namespace, uid } = object.metadata;
  const suffix = operation.replace(/[^0-9a-f]/g, '').slice(-10);
  const annotations = {
    ...(template?.metadata?.annotations as Record<string, string> | undefined),
    'cronjob.kubernetes.io/instantiate': 'manual',
  };
  const job = {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: {
      name: `${name.slice(0, 50).replace(/[-.]+$/, '')}-${suffix}`,
      namespace,
      annotations,
      labels: template?.metadata?.labels as Record<string, string> | undefined,
      ownerReferences: [{ apiVersion: object.apiVersion, kind: 'CronJob', name, uid, controller: true }],
    },
    spec: template?.spec,
  };
  return { kind: 'create', object: job as KubeObject, message: `made the Job ${job.metadata.name}` };
}
