import { describe, expect, it } from 'vitest';
import type { KubeObject } from '../../object.ts';
import { assessHealth } from '../assess.ts';

type Case = [type: string, status: object, expected: string, rest?: object];

/** What the reference says of states between those of its own examples. */
const CASES: Case[] = [
  [
    'kro.run/v1alpha1/WebApp',
    {
      state: 'FAILED',
      conditions: [{ type: 'GraphResolved', status: 'False', message: 'no', observedGeneration: 2 }],
    },
    'Degraded: no',
  ],
  [
    'kro.run/v1alpha1/WebApp',
    { state: 'FAILED', conditions: [{ type: 'GraphResolved', status: 'False', observedGeneration: 1 }] },
    'Progressing: Waiting for instance to become ready',
  ],
  [
    'gateway.networking.k8s.io/v1/TLSRoute',
    {
      parents: [
        { parentRef: { name: 'a' }, conditions: [{ type: 'Accepted', status: 'True' }] },
        {
          parentRef: { name: 'b' },
          conditions: [
            { type: 'Accepted', status: 'True' },
            { type: 'ResolvedRefs', status: 'True' },
          ],
        },
      ],
    },
    'Healthy: TLSRoute is healthy',
  ],
  [
    'gateway.networking.k8s.io/v1/TLSRoute',
    { parents: [{ parentRef: { name: 'a' }, conditions: [{ type: 'Accepted', status: 'True' }] }] },
    'Progressing: Parent a: Waiting for TLSRoute conditions',
  ],
  [
    'flink.apache.org/v1beta1/FlinkSessionJob',
    { error: 'lost', jobStatus: { state: 'SUSPENDED' } },
    'Suspended: SUSPENDED',
  ],
  [
    'rabbitmq.com/v1beta1/RabbitmqCluster',
    {},
    'Progressing: Waiting for RabbitMQ Operator',
    { spec: { replicas: 0 } },
  ],
  [
    'promoter.argoproj.io/v1alpha1/PullRequest',
    { conditions: [{ type: 'Ready', status: 'True', observedGeneration: 0 }] },
    'Progressing: Waiting for pull request spec update to be observed',
  ],
  [
    'policies.kyverno.io/v1/ValidatingPolicy',
    { conditionStatus: { ready: true, conditions: [{ type: 'Admitted', status: 'True', message: 'x' }] } },
    'Healthy: Policy is ready',
  ],
  [
    'policies.kyverno.io/v1/DeletingPolicy',
    { conditionStatus: { ready: true, conditions: [{ type: 'Admitted', status: 'True', message: 'x' }] } },
    'Healthy: x',
  ],
  ['policies.kyverno.io/v1/MutatingPolicy', { conditionStatus: {} }, 'Degraded: Policy is not ready'],
  [
    'policies.kyverno.io/v1/GeneratingPolicy',
    { conditionStatus: { ready: true, conditions: [{ type: 'A', status: 'True', observedGeneration: 1 }] } },
    'Progressing: Waiting for GeneratingPolicy status to reflect latest generation',
  ],
  [
    'flink.apache.org/v1/FlinkDeployment',
    {},
    'Healthy: Job is suspended',
    { spec: { job: { state: 'suspended' } } },
  ],
  [
    'kustomize.toolkit.fluxcd.io/v1/Kustomization',
    {
      conditions: [
        { type: 'Ready', status: 'True', reason: 'ReconciliationSucceeded', observedGeneration: 1 },
      ],
    },
    'Progressing: The controller has not seen the latest change yet',
    { spec: {} },
  ],
  [
    'kustomize.toolkit.fluxcd.io/v1/Kustomization',
    { conditions: [{ type: 'Ready', status: 'False', reason: 'ArtifactFailed', message: 'no such path' }] },
    'Degraded: ArtifactFailed: no such path',
    { spec: {} },
  ],
  [
    'capsule.clastix.io/v1/TenantResource',
    {},
    'Suspended: Replication is cordoned',
    { spec: { cordoned: true } },
  ],
  [
    'cert-manager.io/v1/CertificateRequest',
    { conditions: [{ type: 'Ready', status: 'False', reason: 'Other', message: 'm' }] },
    'Degraded: m',
  ],
  [
    'core.cnrm.cloud.google.com/v1/ConfigConnector',
    { healthy: true, observedGeneration: 1 },
    'Progressing: Update in progress',
  ],
  [
    'customize.core.cnrm.cloud.google.com/v1/ControllerReconciler',
    { healthy: false, observedGeneration: 0 },
    'Degraded: ControllerReconciler is not healthy',
  ],
  ['sql.cnrm.cloud.google.com/v1/SQLInstance', { healthy: true }, 'Progressing: Update in progress'],
  [
    'gateway.envoyproxy.io/v1/SecurityPolicy',
    { ancestors: [{ conditions: [{ type: 'Merged', status: 'True' }] }] },
    'Healthy: SecurityPolicy is healthy',
  ],
  [
    'gateway.envoyproxy.io/v1/Backend',
    { conditions: [{ type: 'Accepted', status: 'Unknown', message: 'm' }] },
    'Degraded: m',
  ],
  [
    'gateway.networking.k8s.io/v1/ListenerSet',
    { conditions: [], listeners: [{}] },
    'Healthy: ListenerSet is healthy',
  ],
];

describe('the catalogue, in details', () => {
  it.each(CASES)('%s %j is %s', (type, status, expected, rest = {}) => {
    const [group, version, kind] = type.split('/');
    const object = {
      apiVersion: `${group}/${version}`,
      kind,
      metadata: { name: 'a', generation: 2 },
      status,
      ...rest,
    } as unknown as KubeObject;
    const health = assessHealth(object);
    expect(`${health?.status}: ${health?.message}`).toBe(expected);
  });
});
