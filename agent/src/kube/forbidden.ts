/** `system:serviceaccount:NAMESPACE:NAME`. */
const ACCOUNT = /^system:serviceaccount:([^:]+):(.+)$/;
const REFUSAL =
  /^\S+(?: "[^"]*")? is forbidden: User "([^"]+)" cannot (\S+) resource "([^"]*)" in API group "([^"]*)"(?: in the namespace "([^"]*)"| at the cluster scope)?/;

/**
 * What the API server refused somebody, in words that say who lacks what, and where to give it. Text that is no refusal
 * of RBAC stays as it is.
 *
 * @param impersonated `namespace/name` of the ServiceAccount that the request was made as; undefined: as the agent.
 */
export function explainForbidden(message: string, impersonated: string | undefined): string {
  const match = REFUSAL.exec(message);
  if (!match) return message;
  const [, user = '', verb = '', resource = '', group = '', namespace = ''] = match;
  const named = /^\S+ "([^"]+)" is forbidden/.exec(message)?.[1];
  if (verb === 'impersonate') {
    return `this agent (${who(user)}) may not act as ServiceAccount ${namespace}/${named ?? '?'}: list it among impersonation.serviceAccounts of its chart`;
  }
  const what = group ? `${resource}.${group}` : resource;
  const where = namespace ? `in namespace ${namespace}` : 'in the cluster';
  const role = namespace ? 'a Role and a RoleBinding there' : 'a ClusterRole and a ClusterRoleBinding';
  const whose = impersonated ? '' : ', the agent’s own,';
  const object = named ? ` (${named})` : '';
  return `${who(user)}${whose} may not ${verb} ${what} ${where}${object}: give it that by ${role}`;
}

function who(user: string): string {
  const account = ACCOUNT.exec(user);
  return account ? `ServiceAccount ${account[1]}/${account[2]}` : `user ${user}`;
}
