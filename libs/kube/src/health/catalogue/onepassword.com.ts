import { type GroupRules, ready } from '../rules.ts';

export const rules: GroupRules = { OnePasswordItem: ready('Waiting for controller to report status') };
