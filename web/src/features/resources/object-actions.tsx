import type { ApplicationView, ResourceView } from '@muster/api';
import { useQuery } from '@tanstack/react-query';
import { Ellipsis } from 'lucide-react';
import { DropdownMenu } from 'radix-ui';
import { useState } from 'react';
import { Button } from '../../ui/parts.tsx';
import { clustersQuery } from '../clusters/queries.ts';
import { allows } from '../session/permissions.ts';
import { sessionQuery } from '../session/queries.ts';
import { ActionDialog } from './action-dialog.tsx';
import { actionText } from './action-texts.ts';
import type { ObjectName } from './object-key.ts';

/** So many stand as buttons; the others are in a menu. */
const BUTTONS = 4;

interface ObjectActionsProps {
  app: ApplicationView;
  resource: string;
  name: ObjectName;
  view: ResourceView;
}

/** What can be done to the object, for who may. */
export function ObjectActions({ app, resource, name, view }: ObjectActionsProps) {
  const { data: session } = useQuery(sessionQuery);
  const { data: clusters } = useQuery(clustersQuery);
  const [action, setAction] = useState<string>();
  if (!view.live || view.actions.length === 0) return null;
  if (!allows(session, 'operator', app.project)) {
    return (
      <p className="border-b border-line px-4 py-2 text-muted">
        Acting on it needs the role operator of the project {app.project}.
      </p>
    );
  }
  const observes = clusters?.find((each) => each.name === app.destination.cluster)?.limits?.observeOnly;
  // Deleting stands last, wherever the others go.
  const rest = view.actions.filter((each) => each !== 'delete');
  const remove = view.actions.filter((each) => each === 'delete');
  const fits = rest.length + remove.length <= BUTTONS;
  const buttons = fits ? [...rest, ...remove] : rest.slice(0, BUTTONS - 1);
  const menu = fits ? [] : [...rest.slice(BUTTONS - 1), ...remove];
  return (
    <div className="border-b border-line px-4 py-2">
      <div role="group" aria-label="Actions" className="flex flex-wrap gap-2">
        {buttons.map((each) => (
          <Button key={each} danger={actionText(each).danger ?? false} onClick={() => setAction(each)}>
            {actionText(each).label}
          </Button>
        ))}
        {menu.length > 0 && <More actions={menu} choose={setAction} />}
      </div>
      {observes && (
        <p className="mt-1.5 text-muted">
          The agent of {app.destination.cluster} only observes: it refuses to change anything.
        </p>
      )}
      {action !== undefined && (
        <ActionDialog
          app={app}
          action={action}
          resource={resource}
          name={name}
          live={view.live}
          close={() => setAction(undefined)}
        />
      )}
    </div>
  );
}

function More({ actions, choose }: { actions: string[]; choose: (action: string) => void }) {
  return (
    <DropdownMenu.Root modal={false}>
      <DropdownMenu.Trigger asChild>
        <Button>
          <Ellipsis className="size-3.5" aria-hidden /> More
        </Button>
      </DropdownMenu.Trigger>
      <DropdownMenu.Portal>
        <DropdownMenu.Content
          align="start"
          sideOffset={4}
          className="z-40 min-w-44 rounded-md border border-line bg-panel p-1 shadow-lg"
        >
          {actions.map((each) => (
            <DropdownMenu.Item
              key={each}
              onSelect={() => choose(each)}
              className={`cursor-pointer rounded px-2 py-1.5 outline-none data-highlighted:bg-raised ${actionText(each).danger ? 'text-bad' : ''}`}
            >
              {actionText(each).label}
            </DropdownMenu.Item>
          ))}
        </DropdownMenu.Content>
      </DropdownMenu.Portal>
    </DropdownMenu.Root>
  );
}
