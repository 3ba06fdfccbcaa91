import { useMutation, useQueryClient } from '@tanstack/react-query';
import type { FormEvent } from 'react';
import { hub } from '../../lib/hub.ts';
import { ErrorNotice } from '../../ui/notice.tsx';
import { Button } from '../../ui/parts.tsx';
import { changeSession } from './queries.ts';

const FIELD =
  'mt-1 h-9 w-full rounded-md border border-line bg-ground px-2.5 text-ink focus-visible:outline-offset-0';

export function LoginPage() {
  const queries = useQueryClient();
  const login = useMutation({
    mutationFn: (body: { name: string; password: string }) => hub.session.login(body),
    onSuccess: ({ session }) => changeSession(queries, session),
  });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    login.mutate({ name: String(form.get('name')), password: String(form.get('password')) });
  };
  return (
    <main className="grid min-h-screen place-items-center p-4">
      <form onSubmit={submit} className="w-full max-w-80 rounded-lg border border-line bg-panel p-6">
        <h1 className="mb-4 flex items-center gap-2 text-lg font-semibold">
          <img src="/favicon.svg" alt="" className="size-6" /> Muster
        </h1>
        <label className="mb-3 block text-muted">
          Name
          <input className={FIELD} name="name" autoComplete="username" required autoFocus />
        </label>
        <label className="mb-4 block text-muted">
          Password
          <input className={FIELD} name="password" type="password" autoComplete="current-password" required />
        </label>
        <Button primary type="submit" className="h-9 w-full justify-center" disabled={login.isPending}>
          {login.isPending ? 'Logging in …' : 'Log in'}
        </Button>
        {login.isError && <ErrorNotice error={login.error} />}
      </form>
    </main>
  );
}
