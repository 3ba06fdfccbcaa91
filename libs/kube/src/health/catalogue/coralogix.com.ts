import { type GroupRules, ready } from '../rules.ts';

const synced = ready('Waiting for status to be updated', 'RemoteSynced', 'Resource is ready');
export const rules: GroupRules = { Alert: synced, RecordingRuleGroupSet: synced };
