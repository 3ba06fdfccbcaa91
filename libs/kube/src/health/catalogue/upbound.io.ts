import { type GroupRules } from '../rules.ts';
import { managedResource } from './crossplane.io.ts';

export const rules: GroupRules = {
  '*': managedResource(
    ['Ready'],
    [
      'ClusterProviderConfig',
      'ProviderConfig',
      'ProviderConfigUsage',
      'ClusterProviderConfigUsage',
      'StoreConfig',
    ],
  ),
};
