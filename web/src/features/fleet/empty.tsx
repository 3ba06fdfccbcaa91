import { CommandLine, Notice } from '../../ui/notice.tsx';

const login = () => `muster login ${window.location.origin}`;

export function NoClusters() {
  return (
    <Notice title="No cluster has joined yet">
      <p>Make a token for a cluster, and run in the cluster what the command prints:</p>
      <CommandLine text={`${login()}\nmuster cluster join-token create --name prod-eu-1 --label env=prod`} />
      <p>The cluster appears here as soon as its agent asks to join.</p>
    </Notice>
  );
}

export function NoSets() {
  return (
    <Notice title="Nothing is deployed yet">
      <p>Apply an ApplicationSet (or Applications), as you have them for Argo CD:</p>
      <CommandLine text={`${login()}\nmuster apply -f applicationset.yaml`} />
      <p>Each set becomes a column here, with a cell for every cluster that it selects.</p>
    </Notice>
  );
}
