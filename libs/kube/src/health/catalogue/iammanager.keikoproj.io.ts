import { type GroupRules, health, rule, when } from '../rules.ts';

const FAILED = ['Error', 'RolesMaxLimitReached', 'PolicyNotAllowed', 'RoleNameNotAvailable'];

export const rules: GroupRules = {
  Iamrole: rule(
    when(
      (o) => o.status,
      (o) => {
        const {
          state,
          roleName = '<none>',
          roleARN = '<none>',
          roleID = '<none>',
          retryCount,
          errorDescription,
        } = o.status;
        const role = `'${roleName}'`;
        if (state === 'Ready')
          return health('Healthy', `Role ${role} exists with ARN '${roleARN}' and ID '${roleID}'.`);
        if (!FAILED.includes(state)) return undefined;
        const retry = retryCount > 0 ? `(retry ${retryCount}) ` : '';
        const cause = errorDescription === undefined ? '' : ` Reconciliation error was: ${errorDescription}`;
        return health(
          'Degraded',
          `Failed to reconcile the Iamrole ${retry}for role ${role} with ARN '${roleARN}' and ID '${roleID}'.${cause}`,
        );
      },
    ),
    'Progressing: Waiting for Iamrole to be reconciled',
  ),
};
