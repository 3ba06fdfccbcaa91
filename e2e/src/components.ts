import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Pki } from './pki.ts';

/** One program of a control plane and how it is started. */
export interface Component {
  name: 'etcd' | 'kube-apiserver' | 'kube-controller-manager' | 'kube-scheduler' | 'kwok';
  args: string[];
  env?: Record<string, string>;
}

export interface Layout {
  dir: string;
  pki: Pki;
  kubeconfig: string;
  ports: Ports;
}

export interface Ports {
  api: number;
  etcd: number;
  etcdPeer: number;
  /** Where kwok answers for the kubelets of all nodes. */
  kubelet: number;
}

/** The address of the `kubernetes` Service, which the serving certificate names. */
export const serviceAddress = '10.96.0.1';

const stages = fileURLToPath(new URL('../kwok/stages.yaml', import.meta.url));

/** What every container of every Pod has written: a file in the runtime's form, `TIME stdout F TEXT`. */
export const podLog = (dir: string) => join(dir, 'pod.log');

/** The configuration of kwok that serves it. */
const podLogsConfig = (dir: string) => join(dir, 'pod-logs.yaml');

/** Writes what kwok needs besides its stages. */
export async function writeKwokFiles(dir: string): Promise<void> {
  const logs = [{ logsFile: podLog(dir), follow: true }];
  const config = {
    apiVersion: 'kwok.x-k8s.io/v1alpha1',
    kind: 'ClusterLogs',
    metadata: { name: 'all' },
    spec: { logs },
  };
  await writeFile(podLogsConfig(dir), JSON.stringify(config));
  await writeFile(podLog(dir), '', { flag: 'a' });
}

/** The store and the API, which start at once. */
export function storeAndApi({ dir, pki, ports }: Layout): Component[] {
  const client = `http://127.0.0.1:${ports.etcd}`;
  const peer = `http://127.0.0.1:${ports.etcdPeer}`;
  return [
    {
      name: 'etcd',
      args: [
        '--name=default',
        `--data-dir=${join(dir, 'etcd')}`,
        `--listen-client-urls=${client}`,
        `--advertise-client-urls=${client}`,
        `--listen-peer-urls=${peer}`,
        `--initial-advertise-peer-urls=${peer}`,
        `--initial-cluster=default=${peer}`,
        '--unsafe-no-fsync', // a crash of the machine may cost the data of a test
        '--snapshot-count=5000', // the raft log is kept in memory up to here
        '--auto-compaction-mode=revision',
        '--auto-compaction-retention=2000',
        '--log-level=warn',
      ],
    },
    {
      name: 'kube-apiserver',
      args: [
        `--etcd-servers=${client}`,
        '--bind-address=127.0.0.1',
        '--advertise-address=127.0.0.1',
        `--secure-port=${ports.api}`,
        '--endpoint-reconciler-type=none', // a loopback address may not be an endpoint
        '--service-cluster-ip-range=10.96.0.0/16',
        `--cert-dir=${dir}`,
        `--tls-cert-file=${pki.serverCert}`,
        `--tls-private-key-file=${pki.serverKey}`,
        `--client-ca-file=${pki.caCert}`,
        '--authorization-mode=Node,RBAC',
        '--service-account-issuer=https://kubernetes.default.svc.cluster.local',
        `--service-account-key-file=${pki.serviceAccountPublicKey}`,
        `--service-account-signing-key-file=${pki.serviceAccountKey}`,
        '--allow-privileged=true',
        '--disable-admission-plugins=TaintNodesByCondition', // nothing here would take the taint away
        '--kubelet-preferred-address-types=ExternalIP', // the only one of a fake node that answers
        '--enable-priority-and-fairness=false',
        '--profiling=false',
      ],
    },
  ];
}

/** What works against the API; started when it answers. */
export function workers({ dir, pki, kubeconfig, ports }: Layout): Component[] {
  return [
    {
      name: 'kube-controller-manager',
      args: [
        `--kubeconfig=${kubeconfig}`,
        '--leader-elect=false',
        '--secure-port=0',
        `--service-account-private-key-file=${pki.serviceAccountKey}`,
        `--root-ca-file=${pki.caCert}`,
        `--cluster-signing-cert-file=${pki.caCert}`,
        `--cluster-signing-key-file=${pki.caKey}`,
        `--controllers=${['*', ...controllersOff.map((name) => `-${name}-controller`)].join(',')}`,
        '--kube-api-qps=300',
        '--kube-api-burst=600',
        '--concurrent-deployment-syncs=10',
        '--concurrent-replicaset-syncs=10',
      ],
    },
    {
      name: 'kube-scheduler',
      args: [
        `--kubeconfig=${kubeconfig}`,
        '--leader-elect=false',
        '--secure-port=0',
        '--kube-api-qps=300',
        '--kube-api-burst=600',
      ],
    },
    {
      name: 'kwok',
      args: [
        `--kubeconfig=${kubeconfig}`,
        '--manage-all-nodes=true',
        '--node-lease-duration-seconds=0',
        `--config=${stages},${podLogsConfig(dir)}`,
        `--server-address=127.0.0.1:${ports.kubelet}`,
        `--tls-cert-file=${pki.serverCert}`,
        `--tls-private-key-file=${pki.serverKey}`,
      ],
      // kwok also reads the configuration in the user's home unless it is sent elsewhere.
      env: { KWOK_WORKDIR: dir },
    },
  ];
}

/**
 * Controllers that have nothing to do here. Without node-lifecycle no node is ever found dead: the
 * fake ones send no heartbeats, and a machine under load must not make pods move.
 */
const controllersOff = [
  'node-lifecycle',
  'taint-eviction',
  'device-taint-eviction',
  'node-ipam',
  'node-route',
  'service-lb',
  'cloud-node-lifecycle',
  'ttl',
  'persistentvolume-attach-detach',
  'persistentvolume-expander',
  'ephemeral-volume',
  'resourceclaim',
  'legacy-serviceaccount-token-cleaner',
  'storageversion-garbage-collector',
  'storage-version-migrator',
];
