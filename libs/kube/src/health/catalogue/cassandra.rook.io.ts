import { field, type GroupRules, type Loose, rule, when } from '../rules.ts';

export const rules: GroupRules = {
  Cluster: rule(
    when((o) => {
      const racks = field(o, 'status.racks');
      const isShort = (r: Loose) =>
        r.members !== undefined && r.readyMembers !== undefined && r.members !== r.readyMembers;
      return racks && !Object.values(racks).some(isShort);
    }, 'Healthy'),
    'Progressing: Waiting for Cassandra Cluster',
  ),
};
