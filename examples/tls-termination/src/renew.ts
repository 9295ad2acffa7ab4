// Puts new certificates in the place of the old ones, as a renewal does: npm run example -- tls-termination/renew
import { certificates } from './certificates.ts';

certificates(true);
console.log('there are new certificates: kill -HUP makes the server read them');
