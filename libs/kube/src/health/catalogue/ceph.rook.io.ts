import { field, type GroupRules, health, type Loose } from '../rules.ts';

function clusterHealth(o: Loose): ReturnType<typeof health> {
  if (!o.status) return health('Progressing', 'Waiting for status to be reported');
  const parts: string[] = [];
  let status = 'Progressing';
  const ceph = field(o, 'status.ceph.health');
  if (ceph !== undefined) {
    const details: Loose = field(o, 'status.ceph.details') ?? {};
    const messages = Object.keys(details)
      .sort()
      .flatMap((type) => details[type].message ?? []);
    if (ceph === 'HEALTH_ERR' || ceph === 'HEALTH_WARN') status = 'Degraded';
    else if (ceph === 'HEALTH_OK') status = 'Healthy';
    parts.push(`Ceph health is ${ceph}${messages.length > 0 ? ` (${messages.join('; ')})` : ''}`);
  }
  const state = field(o, 'status.state');
  if (state !== undefined && status === 'Healthy') {
    parts.push(`Ceph cluster state is ${state}`);
    status =
      state === 'Created' || state === 'Connected'
        ? 'Healthy'
        : state === 'Error'
          ? 'Degraded'
          : 'Progressing';
  }
  const message = field(o, 'status.message');
  if (message) parts.push(message);
  return health(status, parts.join(' - '));
}

export const rules: GroupRules = {
  CephCluster: clusterHealth,
  CephObjectStore: (o) => {
    const phase = field(o, 'status.phase');
    const endpoint = field(o, 'status.info.endpoint');
    const message =
      phase === undefined ? 'Waiting for status to be reported' : `Ceph object store phase is ${phase}`;
    const status = phase === 'Ready' ? 'Healthy' : phase === 'Failure' ? 'Degraded' : 'Progressing';
    return health(status, endpoint ? `${message} - endpoint: ${endpoint}` : message);
  },
};
