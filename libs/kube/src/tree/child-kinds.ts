import { type GroupKind, groupKindString } from '../object.ts';

const kind = (group: string, name: string): GroupKind => ({ group, kind: name });

const REPLICA_SET = kind('apps', 'ReplicaSet');
const REVISION = kind('apps', 'ControllerRevision');
const POD = kind('', 'Pod');
const CLAIM = kind('', 'PersistentVolumeClaim');
const JOB = kind('batch', 'Job');
const ENDPOINT_SLICE = kind('discovery.k8s.io', 'EndpointSlice');
const SECRET = kind('', 'Secret');

/** What objects of well-known kinds own. Pods own nothing; who owns nothing is not listed for. */
const KNOWN: Record<string, GroupKind[]> = {
  'apps/Deployment': [REPLICA_SET],
  'apps/ReplicaSet': [POD],
  'apps/StatefulSet': [REVISION, POD, CLAIM],
  'apps/DaemonSet': [REVISION, POD],
  ReplicationController: [POD],
  'batch/CronJob': [JOB],
  'batch/Job': [POD],
  Service: [ENDPOINT_SLICE],
  'networking.k8s.io/Ingress': [kind('cert-manager.io', 'Certificate')],
  'argoproj.io/Rollout': [REPLICA_SET, kind('argoproj.io', 'AnalysisRun'), kind('argoproj.io', 'Experiment')],
  'argoproj.io/AnalysisRun': [JOB],
  'argoproj.io/Experiment': [REPLICA_SET, kind('argoproj.io', 'AnalysisRun')],
  'argoproj.io/Workflow': [POD, CLAIM],
  'argoproj.io/CronWorkflow': [kind('argoproj.io', 'Workflow')],
  'cert-manager.io/Certificate': [kind('cert-manager.io', 'CertificateRequest'), SECRET],
  'cert-manager.io/CertificateRequest': [kind('acme.cert-manager.io', 'Order')],
  'acme.cert-manager.io/Order': [kind('acme.cert-manager.io', 'Challenge')],
  'acme.cert-manager.io/Challenge': [POD, kind('', 'Service'), kind('networking.k8s.io', 'Ingress')],
  'bitnami.com/SealedSecret': [SECRET],
  'external-secrets.io/ExternalSecret': [SECRET],
  'keda.sh/ScaledObject': [kind('autoscaling', 'HorizontalPodAutoscaler')],
  'keda.sh/ScaledJob': [JOB],
};

/** Groups of Kubernetes itself: what is not in the table owns nothing that people look for. */
const BUILT_IN = /^$|^(?:apps|batch|autoscaling|policy|extensions)$|\.k8s\.io$/;

/** What operators make most often for their own resources, besides resources of their own group. */
const OF_OPERATORS: GroupKind[] = [
  kind('apps', 'Deployment'),
  kind('apps', 'StatefulSet'),
  kind('apps', 'DaemonSet'),
  REPLICA_SET,
  JOB,
  kind('batch', 'CronJob'),
  POD,
  kind('', 'Service'),
  kind('', 'ConfigMap'),
  SECRET,
  CLAIM,
  kind('networking.k8s.io', 'Ingress'),
];

/**
 * The kinds that objects of a kind may own: the known ones; of a custom resource everything that its group serves, and
 * what operators make most often. Listing every kind of a namespace would cost hundreds of requests a look.
 */
export function childKinds(of: GroupKind, served: readonly GroupKind[]): GroupKind[] {
  const known = KNOWN[groupKindString(of)];
  if (known) return known;
  if (BUILT_IN.test(of.group)) return [];
  return [...OF_OPERATORS, ...served.filter(({ group }) => group === of.group)];
}

/** All kinds that may be found below these, each once; at most `limit`. */
export function kindsBelow(
  roots: Iterable<GroupKind>,
  served: readonly GroupKind[],
  limit: number,
): GroupKind[] {
  const found = new Map<string, GroupKind>();
  const queue = [...new Map([...roots].map((root) => [groupKindString(root), root])).values()];
  for (let at = 0; at < queue.length; at++) {
    for (const child of childKinds(queue[at]!, served)) {
      const name = groupKindString(child);
      if (found.has(name) || found.size >= limit) continue;
      found.set(name, child);
      if (!queue.some((each) => groupKindString(each) === name)) queue.push(child);
    }
  }
  return [...found.values()];
}
