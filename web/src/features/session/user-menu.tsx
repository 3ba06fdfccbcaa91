import type { Session } from '@muster/api';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { ChevronDown, LogOut } from 'lucide-react';
import { DropdownMenu } from 'radix-ui';
import { hub } from '../../lib/hub.ts';
import { changeSession } from './queries.ts';

export function UserMenu({ session }: { session: Session }) {
  const queries = useQueryClient();
  const logout = useMutation({
    mutationFn: () => hub.session.logout(),
    onSuccess: () => changeSession(queries, null),
  });
  const roles = session.grants.map(({ role, project }) => (project === '*' ? role : `${role} of ${project}`));
  return (
    <DropdownMenu.Root modal={false}>
      <DropdownMenu.Trigger className="flex h-7 items-center gap-1 rounded-md px-2 hover:bg-raised">
        {session.name} <ChevronDown className="size-3.5 text-muted" aria-hidden />
      </DropdownMenu.Trigger>
      <DropdownMenu.Portal>
        <DropdownMenu.Content
          align="end"
          sideOffset={4}
          className="z-40 min-w-48 rounded-md border border-line bg-panel p-1 shadow-lg"
        >
          <DropdownMenu.Label className="max-w-64 px-2 py-1 text-muted">
            {roles.join(', ') || 'no role'}
          </DropdownMenu.Label>
          <DropdownMenu.Item
            onSelect={() => logout.mutate()}
            className="flex cursor-pointer items-center gap-2 rounded px-2 py-1.5 outline-none data-highlighted:bg-raised"
          >
            <LogOut className="size-3.5" aria-hidden /> Log out
          </DropdownMenu.Item>
        </DropdownMenu.Content>
      </DropdownMenu.Portal>
    </DropdownMenu.Root>
  );
}
