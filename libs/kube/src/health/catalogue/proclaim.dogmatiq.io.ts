import { conditionOf, type GroupRules, health } from '../rules.ts';

export const rules: GroupRules = {
  DNSSDServiceInstance: (o) => {
    const adopted = conditionOf(o, 'Adopted');
    if (adopted?.status === 'False') return health('Degraded', adopted.message);
    const advertised = conditionOf(o, 'Advertised');
    if (['AdvertiseError', 'UnadvertiseError'].includes(advertised?.reason))
      return health('Degraded', advertised.message);
    const discovered = conditionOf(o, 'Discoverable');
    if (discovered?.reason === 'DiscoveryError') return health('Unknown', discovered.message);
    return health(discovered?.status === 'True' ? 'Healthy' : 'Progressing', discovered?.message);
  },
};
