"""DIGINETICA by the protocol of ADER (Mi, Lin & Faltings, RecSys 2020): 16 weekly updates of sessions."""
