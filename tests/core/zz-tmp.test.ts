import { openChdb } from '/work/main/infra/clickhouse/chdb.js';
import { noMetrics, silentJournal } from '/work/main/pipeline/core/metrics.js';
import { linesOf, saleRecord } from '/work/main/tests/contract/clickhouse-records.js';
import { rmSync } from 'node:fs';
import { test } from 'vitest';
test('x', async () => {
rmSync('/tmp/ch/db3',{recursive:true,force:true});
const s=(await openChdb({directory:'/tmp/ch/db3',shopTimeZone:'Europe/London'},{metrics:noMetrics,journal:silentJournal}))!;
let t=performance.now(); await s.ensure(); console.log('ensure',performance.now()-t); t=performance.now(); await s.ensure(); console.log('ensure again',performance.now()-t);
let off=0;
for (const fsync of [1,0]) { for (const tb of ['sales','revenue_by_shop_day_state']) await s.query(`ALTER TABLE ${tb} MODIFY SETTING fsync_after_insert=${fsync}, fsync_part_directory=${fsync}`);
 for (const [n,k,months] of [[1,30,1],[100,20,1],[1000,10,1],[10000,5,1],[10000,2,24]] as const) { const lat:number[]=[]; for(let i=0;i<k;i++){const lines=linesOf(Array.from({length:n},()=>saleRecord(off++,{receivedAt:Date.UTC(2020,off%months,1)}))); const a=performance.now(); await s.insert('sales',lines,'t'+off); lat.push(performance.now()-a)} lat.sort((a,b)=>a-b); console.log('fsync',fsync,'rows',n,'months',months,'p50',lat[lat.length>>1].toFixed(1),'max',lat.at(-1)!.toFixed(1)); }}
t=performance.now(); await s.close(); console.log('close',performance.now()-t);
}, 200000);
