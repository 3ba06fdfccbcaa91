import { type GroupRules, listOf, type Loose, rule, type Step, when } from '../rules.ts';

const insufficient = 'Progressing: Current resource status is insufficient';
const isBad = (status: Loose) =>
  status.health === 'Unhealthy' || (status.health === 'Unknown' && status.applied !== true);

/** Bound clusters and their reports must be as many. `needsClusters`: a binding without clusters is insufficient. */
const binding = (needsClusters: boolean): Step =>
  rule(
    when((o) => !o.status, insufficient),
    when((o) => (o.spec.clusters === undefined ? needsClusters : o.spec.clusters.length === 0), insufficient),
    when((o) => listOf(o, 'status.aggregatedStatus').length === 0, insufficient),
    when((o) => o.spec.clusters && o.spec.clusters.length !== o.status.aggregatedStatus.length, insufficient),
    when(
      (o) => listOf(o, 'status.aggregatedStatus').some(isBad),
      'Degraded: Current resource status is unhealthy',
    ),
    'Healthy',
  );
export const rules: GroupRules = { ClusterResourceBinding: binding(true), ResourceBinding: binding(false) };
