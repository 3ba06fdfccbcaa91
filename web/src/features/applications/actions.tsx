import type { ApplicationView, CommandView } from '@muster/api';
import { useMutation, useQuery } from '@tanstack/react-query';
import { RefreshCw, RotateCw } from 'lucide-react';
import { hub } from '../../lib/hub.ts';
import { ErrorNotice } from '../../ui/notice.tsx';
import { Button } from '../../ui/parts.tsx';
import { allows } from '../session/permissions.ts';
import { sessionQuery } from '../session/queries.ts';

const WAIT_SECONDS = 50;

/** Sync and refresh, for who may; says how the command ended. */
export function Actions({ app }: { app: ApplicationView }) {
  const { data: session } = useQuery(sessionQuery);
  const { namespace, name } = app;
  const act = useMutation({
    mutationFn: async (verb: 'sync' | 'refresh'): Promise<CommandView | undefined> => {
      const { command } =
        verb === 'sync'
          ? await hub.applications.sync(namespace, name)
          : await hub.applications.refresh(namespace, name);
      return command === undefined ? undefined : await hub.command(command, WAIT_SECONDS);
    },
  });
  if (!allows(session, 'operator', app.project)) return null;
  const running = act.isPending ? act.variables : undefined;
  return (
    <div className="border-b border-line px-4 py-2.5">
      <div className="flex items-center gap-2">
        <Button
          primary
          disabled={act.isPending || app.leaving !== undefined || !app.revision}
          onClick={() => act.mutate('sync')}
        >
          <RotateCw className={`size-3.5 ${running === 'sync' ? 'spin' : ''}`} aria-hidden /> Sync
        </Button>
        <Button disabled={act.isPending} onClick={() => act.mutate('refresh')}>
          <RefreshCw className={`size-3.5 ${running === 'refresh' ? 'spin' : ''}`} aria-hidden /> Refresh
        </Button>
        <span role="status" className="min-w-0 flex-1 truncate text-muted">
          {running && `${running === 'sync' ? 'Sync' : 'Refresh'} sent, waiting for the cluster …`}
          {act.isSuccess && <Outcome verb={act.variables} command={act.data} />}
        </span>
      </div>
      {act.isError && <ErrorNotice error={act.error} />}
    </div>
  );
}

function Outcome({ verb, command }: { verb: 'sync' | 'refresh'; command: CommandView | undefined }) {
  const what = verb === 'sync' ? 'Sync' : 'Refresh';
  if (!command) return <>The source is read again; the cluster has nothing of it to compare yet.</>;
  const { outcome, message } = command;
  if (!outcome)
    return (
      <>
        {command.sentAt
          ? 'The cluster has not answered yet.'
          : 'The cluster is not connected; it is told when it is.'}
      </>
    );
  return (
    <span className={outcome === 'succeeded' ? 'text-good' : 'text-bad'} title={message}>
      {what} {outcome}
      {message && `: ${message}`}
    </span>
  );
}
