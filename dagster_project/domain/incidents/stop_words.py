"""Words that say nothing of what two incidents have in common: those of every English text, and those of every postmortem."""

from __future__ import annotations

ENGLISH = tuple(
    """
    a able about above according across actual actually after afterward again against ago all allow almost alone along
    already also although always am among an and another any anyone anything anyway anywhere appear are aren around as aside
    ask asked asking at available away back be became because become becoming been before beforehand began begin behind
    being believe below beside best better between beyond bit both brief but by call called came can cannot case cause
    caused certain clear clearly come coming consequently consider considering contain continued correct correctly could
    couldn couple course currently day decide decided definitely despite did didn different difficult do does doesn doing
    don done down due during each early easily effect eight either else elsewhere end ended enough entire especially etc
    even eventually ever every everyone everything everywhere exactly example except expect expected extra fact far few
    fewer fifth find finding first five follow followed following for former found four from full fully further furthermore
    gave general get getting give given go goes going gone good got had hadn happen happened hard has hasn have haven having
    he hence her here herself high higher him himself his hour how however idea if immediate immediately in indeed initial
    initially inside instead into is isn it itself just keep kept kind knew know knowing knowledge known large last late
    later latter least leave left less let lets like likely little long longer look looked looking lot low lower made main
    mainly make making many matter may maybe me mean meant meanwhile might minute month more moreover morning most mostly
    much multiple must my myself name namely near nearly necessary need needed neither never nevertheless new next nine no
    nobody non none nor normal normally not note noted nothing now nowhere number obvious of off often okay old on once one
    only onto open or order other otherwise our out outside over overall own part particular particularly per performed
    perhaps person place point possible possibly present previous previously probably put quick quickly quite rather reach
    real realised realized really reason reasonable recent recently regarding relatively right said same saw say saying
    second see seeing seem seemed seen sent several shall she should shouldn show showed shown side similar simply since six
    small so some somebody somehow someone something sometime somewhat somewhere soon start started starting state still
    stop such sure take taken taking ten than that the their them then there thereafter therefore these they thing think
    third this those though thought three through throughout thus time to today together told too took toward tried true try
    trying turn turned two under unfortunately unless until up upon us use used useful using usual usually various very via
    was wasn way we week well went were what whatever when where whereas whether which while who whole whom whose why will
    with within without won work worked working would wouldn wrong year yes yesterday yet you your
    """.split()  # noqa: SIM905 - a list of so many literals is not readable
)
POSTMORTEMS = tuple(
    """
    acknowledged action affected agreed applied bst cest cet channel confirmed declared detected discovered discussed est
    fixed gmt identified impact impacted incident investigate investigated investigating investigation issue logged
    mitigated noticed observed outage postmortem problem repaired reported resolution resolved responded restored review
    root slack summary team thread timeline update updated utc
    """.split()  # noqa: SIM905
)
STOP_WORDS = (*ENGLISH, *POSTMORTEMS)
