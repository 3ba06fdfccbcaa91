import { Global, Module } from '@nestjs/common';
import { CONFIG, type Config } from '../config.ts';
import { DATABASE, type Db } from '../store/database.ts';
import { Notifications } from '../store/notifications.ts';
import { Events } from './events.ts';
import { Listening, Readiness } from './readiness.ts';

@Global()
@Module({
  providers: [
    {
      provide: Events,
      inject: [Notifications, DATABASE, CONFIG],
      useFactory: (notifications: Notifications, db: Db, config: Config) =>
        new Events(notifications, db, `${config.replicaId.replaceAll('-', '')}${Date.now().toString(36)}`),
    },
    Readiness,
    Listening,
  ],
  exports: [Events, Readiness, Listening],
})
export class ApiModule {}
