import { type GroupRules, ready } from '../rules.ts';

export const rules: GroupRules = {
  SealedSecret: ready('Waiting for Sealed Secret to be decrypted', 'Synced'),
};
