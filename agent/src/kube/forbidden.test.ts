import { expect, it } from 'vitest';
import { explainForbidden } from './forbidden.ts';

const refused = (text: string, impersonated?: string) => explainForbidden(text, impersonated);

it('says which account lacks what, and where to give it', () => {
  expect(
    refused(
      'deployments.apps "web" is forbidden: User "system:serviceaccount:shop:deployer" cannot patch resource "deployments" in API group "apps" in the namespace "shop"',
      'shop/deployer',
    ),
  ).toBe(
    'ServiceAccount shop/deployer may not patch deployments.apps in namespace shop (web): give it that by a Role and a RoleBinding there',
  );
  expect(
    refused(
      'namespaces is forbidden: User "system:serviceaccount:muster-agent:muster-agent" cannot list resource "namespaces" in API group "" at the cluster scope',
    ),
  ).toBe(
    'ServiceAccount muster-agent/muster-agent, the agent’s own, may not list namespaces in the cluster: give it that by a ClusterRole and a ClusterRoleBinding',
  );
});

it('says that the agent may not act as an account', () => {
  expect(
    refused(
      'serviceaccounts "deployer" is forbidden: User "system:serviceaccount:muster-agent:muster-agent" cannot impersonate resource "serviceaccounts" in API group "" in the namespace "shop"',
      'shop/deployer',
    ),
  ).toBe(
    'this agent (ServiceAccount muster-agent/muster-agent) may not act as ServiceAccount shop/deployer: list it among impersonation.serviceAccounts of its chart',
  );
});

it('leaves other refusals as they are', () => {
  const quota = 'pods "x" is forbidden: exceeded quota: q';
  expect(refused(quota)).toBe(quota);
});
