import type { KubeClient, KubeObject } from './kube.ts';

/**
 * Creates `count` fake nodes that are Ready; kwok runs what is scheduled to them, and answers for their kubelets on a port
 * of this machine. Those that exist stay as they are, but for that port.
 */
export async function createNodes(kube: KubeClient, count: number, kubelet: number): Promise<void> {
  const { gitVersion } = (await kube.raw('GET', '/version')) as { gitVersion: string };
  const names = Array.from({ length: count }, (_, index) => `node-${index + 1}`);
  await Promise.all(names.map((name, index) => createNode(kube, name, index, gitVersion, kubelet)));
}

async function createNode(
  kube: KubeClient,
  name: string,
  index: number,
  version: string,
  kubelet: number,
): Promise<void> {
  const daemonEndpoints = { kubeletEndpoint: { Port: kubelet } };
  if (await kube.find('v1/Node', name)) {
    await kube.patch('v1/Node', name, { status: { daemonEndpoints } }, { subresource: 'status' });
    return;
  }
  const node: KubeObject = {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name,
      labels: {
        'kubernetes.io/hostname': name,
        'kubernetes.io/os': 'linux',
        'kubernetes.io/arch': 'amd64',
        'topology.kubernetes.io/zone': `zone-${index + 1}`,
      },
      annotations: { 'node.alpha.kubernetes.io/ttl': '0', 'kwok.x-k8s.io/node': 'fake' },
    },
  };
  await kube.create(node);
  await kube.patch(
    'v1/Node',
    name,
    { status: { ...status(name, index, version), daemonEndpoints } },
    { subresource: 'status' },
  );
}

function status(name: string, index: number, version: string) {
  const now = new Date().toISOString();
  const resources = { cpu: '64', memory: '256Gi', 'ephemeral-storage': '1Ti', pods: '5000' };
  const condition = (type: string, value: 'True' | 'False', reason: string) => ({
    type,
    status: value,
    reason,
    lastHeartbeatTime: now,
    lastTransitionTime: now,
  });
  return {
    capacity: resources,
    allocatable: resources,
    conditions: [
      condition('Ready', 'True', 'KubeletReady'),
      condition('MemoryPressure', 'False', 'KubeletHasSufficientMemory'),
      condition('DiskPressure', 'False', 'KubeletHasNoDiskPressure'),
      condition('PIDPressure', 'False', 'KubeletHasSufficientPID'),
    ],
    addresses: [
      { type: 'InternalIP', address: `10.0.0.${index + 1}` },
      { type: 'Hostname', address: name },
      { type: 'ExternalIP', address: '127.0.0.1' },
    ],
    nodeInfo: {
      architecture: 'amd64',
      bootID: '',
      containerRuntimeVersion: 'kwok',
      kernelVersion: 'kwok',
      kubeProxyVersion: '',
      kubeletVersion: version,
      machineID: '',
      operatingSystem: 'linux',
      osImage: '',
      systemUUID: '',
    },
  };
}
