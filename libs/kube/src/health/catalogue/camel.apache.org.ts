import { type GroupRules, ready } from '../rules.ts';

export const rules: GroupRules = { Integration: ready('Waiting for Integration') };
