import { type GroupRules, rule, when } from '../rules.ts';

export const rules: GroupRules = {
  ZookeeperCluster: rule(
    when(
      (o) => o.status && o.status.readyReplicas !== 0 && o.status.readyReplicas === o.status.replicas,
      'Healthy: All ZK Nodes have joined the ensemble',
    ),
    'Progressing: Waiting for ZK Nodes to join the ensemble',
  ),
};
