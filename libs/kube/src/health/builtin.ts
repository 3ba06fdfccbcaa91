import { annotationOf, isRecord, type KubeObject, parseApiVersion } from '../object.ts';
import { podHealth } from './pod.ts';
import { at, type Condition, conditionsOf, FieldError, listAt, stringAt } from './read.ts';
import { checkTyped } from './typed.ts';
import { degraded, type Health, healthy, progressing, unknown } from './status.ts';
import {
  daemonSetHealth,
  deploymentHealth,
  jobHealth,
  replicaSetHealth,
  statefulSetHealth,
} from './workloads.ts';

interface BuiltInCheck {
  /** The versions it knows; another one is Unknown. Absent: any, and its fields are not read into a type. */
  versions?: string[];
  check: (object: KubeObject) => Health;
  /** The kind's name in messages. */
  label?: string;
}

/** Kubernetes' own kinds (and Argo Workflows) by `group/Kind`: the checks the reference has in code. */
const CHECKS: Record<string, BuiltInCheck> = {
  'apps/Deployment': { versions: ['v1'], check: deploymentHealth },
  'apps/StatefulSet': { versions: ['v1'], check: statefulSetHealth },
  'apps/ReplicaSet': { versions: ['v1'], check: replicaSetHealth },
  'apps/DaemonSet': { versions: ['v1'], check: daemonSetHealth },
  'batch/Job': { versions: ['v1'], check: jobHealth },
  '/Pod': { versions: ['v1'], check: podHealth },
  '/Service': { versions: ['v1'], check: serviceHealth },
  '/PersistentVolumeClaim': { versions: ['v1'], check: claimHealth },
  'extensions/Ingress': { check: ingressHealth },
  'networking.k8s.io/Ingress': { check: ingressHealth },
  'apiregistration.k8s.io/APIService': { versions: ['v1', 'v1beta1'], check: apiServiceHealth },
  'autoscaling/HorizontalPodAutoscaler': { versions: ['v1', 'v2'], check: autoscalerHealth, label: 'HPA' },
  'argoproj.io/Workflow': { check: workflowHealth },
};

/** Whether the kind has a check in code. */
export function hasBuiltInCheck(object: KubeObject): boolean {
  return Object.hasOwn(CHECKS, `${parseApiVersion(object.apiVersion).group}/${object.kind}`);
}

/** Health of a built-in kind with the reference's statuses and messages; null for any other kind. */
export function assessBuiltIn(object: KubeObject): Health | null {
  const { group, version } = parseApiVersion(object.apiVersion);
  if (!hasBuiltInCheck(object)) return null;
  const { versions, check, label = object.kind } = CHECKS[`${group}/${object.kind}`]!;
  if (versions && !versions.includes(version)) {
    return unknown(`unsupported ${label} GVK: ${group}/${version}, Kind=${object.kind}`);
  }
  try {
    if (versions) checkTyped(object, `${group}/${object.kind}`);
    return check(object);
  } catch (thrown) {
    if (thrown instanceof FieldError)
      return unknown(`failed to convert unstructured ${label} to typed: ${thrown.message}`);
    throw thrown;
  }
}

function serviceHealth(object: KubeObject): Health {
  if (stringAt(object, 'spec', 'type') !== 'LoadBalancer') return healthy();
  return listAt(object, 'status', 'loadBalancer', 'ingress').length > 0 ? healthy() : progressing();
}

function claimHealth(object: KubeObject): Health {
  switch (stringAt(object, 'status', 'phase')) {
    case 'Lost':
      return degraded();
    case 'Pending':
      return progressing();
    case 'Bound':
      return healthy();
    default:
      return unknown();
  }
}

/** Never an error: whatever is not a filled list of addresses is Progressing. */
function ingressHealth(object: KubeObject): Health {
  const addresses = at(object, 'status', 'loadBalancer', 'ingress');
  return Array.isArray(addresses) && addresses.length > 0 ? healthy() : progressing();
}

function apiServiceHealth(object: KubeObject): Health {
  const available = conditionsOf(object).find(({ type }) => type === 'Available');
  if (!available) return progressing('Waiting to be processed');
  const message = `${available.reason}: ${available.message}`;
  return available.status === 'True' ? healthy(message) : progressing(message);
}

function workflowHealth(object: KubeObject): Health {
  const phase = at(object, 'status', 'phase');
  const text = at(object, 'status', 'message');
  const message = typeof text === 'string' ? text : '';
  switch (typeof phase === 'string' ? phase : '') {
    case '':
    case 'Pending':
    case 'Running':
      return progressing(message);
    case 'Succeeded':
      return healthy(message);
    case 'Failed':
    case 'Error':
      return degraded(message);
    default:
      return unknown(message);
  }
}

const FAILED_TO_SCALE: Record<string, string[]> = {
  AbleToScale: ['FailedGetScale', 'FailedUpdateScale'],
  ScalingActive: [
    'FailedGetResourceMetric',
    'FailedGetObjectMetric',
    'FailedGetPodsMetric',
    'FailedGetExternalMetric',
    'FailedComputeMetricsReplicas',
    'InvalidSelector',
  ],
};

/** Bad reasons come first, whatever the status of their condition. v1 carries its conditions in an annotation. */
function autoscalerHealth(object: KubeObject): Health {
  const isV1 = parseApiVersion(object.apiVersion).version === 'v1';
  const conditions = isV1 ? annotatedConditions(object) : conditionsOf(object);
  if (typeof conditions === 'string') return unknown(conditions);
  const failed = conditions.find(({ type, reason }) => FAILED_TO_SCALE[type]?.includes(reason));
  if (failed) return degraded(failed.message);
  const scales = conditions.find(
    ({ type, status }) => (type === 'AbleToScale' || type === 'ScalingLimited') && status === 'True',
  );
  return scales ? healthy(scales.message) : progressing('Waiting to Autoscale');
}

/** The conditions, or what is wrong with them. */
function annotatedConditions(object: KubeObject): Condition[] | string {
  const text = annotationOf(object, 'autoscaling.alpha.kubernetes.io/conditions');
  if (text === undefined) return [];
  const wrong = 'failed to convert conditions annotation to typed:';
  try {
    const entries: unknown = JSON.parse(text);
    if (entries === null) return [];
    if (!Array.isArray(entries)) return `${wrong} not a list`;
    return entries.map((entry) => {
      const lower = isRecord(entry)
        ? Object.fromEntries(Object.entries(entry).map(([key, value]) => [key.toLowerCase(), value]))
        : {};
      return {
        type: stringAt(lower, 'type'),
        status: stringAt(lower, 'status'),
        reason: stringAt(lower, 'reason'),
        message: stringAt(lower, 'message'),
      };
    });
  } catch (thrown) {
    return `${wrong} ${thrown instanceof Error ? thrown.message : String(thrown)}`;
  }
}
